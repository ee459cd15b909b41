"""Code as it stands: a function's source, its clone with one hook, and what runs through it."""
