"""The report for a safety board: facts of a study out of its records and its rules, as a page."""
