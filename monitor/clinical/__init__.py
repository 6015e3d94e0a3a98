"""Trial data in: sources, standardised rows, snapshots."""
