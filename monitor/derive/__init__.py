"""Derived tables: typed, with dates as intervals, units, baseline, DOSE and AEDRUG."""
