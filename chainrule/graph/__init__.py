"""Derivatives as programs. So far: lowering of formulas to NumPy."""
