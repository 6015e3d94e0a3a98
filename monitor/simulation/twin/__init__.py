"""The synthetic twin: its report gives the table of the public abstract; and what is planted in it."""
