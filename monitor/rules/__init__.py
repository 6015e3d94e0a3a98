"""What a rule means: the tree, its text form, its definition (reference) and its SQL."""
