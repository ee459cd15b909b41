"""Graphs to code again: readable NumPy, fast programs, components in SymPy."""
