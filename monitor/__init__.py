"""A safety pharmacovigilance monitor for clinical trials."""

__version__ = "0.1.0"
