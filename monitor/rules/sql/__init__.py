"""A rule as SQL: expressions, conditions, clauses. `monitor.rules.compiler` joins them."""
