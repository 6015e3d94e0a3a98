"""What rules read, made from a snapshot: dates as days, units, baselines, doses, events by drug."""

from monitor.derive.derived import Derived, derive, derive_rows

__all__ = ["Derived", "derive", "derive_rows"]
