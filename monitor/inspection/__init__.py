"""Looks at tables that nobody has mapped yet, proposes maps, and says what rules would see."""
