"""Graphs as a person writes them: formulas in the user's names, text and LaTeX, and the walk."""
