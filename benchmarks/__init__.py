"""How fast ten rules are found in ten million laboratory rows of a hundred studies; run by `make bench`."""
