"""Literal operations on arrays whose sizes are symbols; their derivatives, formulas and code."""
