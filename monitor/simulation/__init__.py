"""Synthetic trials: invented subjects with a known story, marked as such in every row."""
