"""The commands; each calls one use-case and prints what it gives."""
