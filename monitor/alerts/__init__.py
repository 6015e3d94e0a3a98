"""What becomes of a finding: decisions, alerts, routes."""
