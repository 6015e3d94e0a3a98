"""How fast the shipped rules are found in ten million laboratory rows; run by `make bench`."""
