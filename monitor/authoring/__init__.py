"""What authors of rules work with: examples, mutants, boundaries, why, backtests."""
