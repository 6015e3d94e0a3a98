"""Exact statistics, without any data: stopping boundaries and how they behave."""
