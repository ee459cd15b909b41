"""Numbers that formulas and code are evaluated in, one kind a file."""
