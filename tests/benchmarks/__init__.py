"""Ratios in one run: what deriving and evaluating gradients costs, beside others who can do it.

`python -m tests.benchmarks` prints one table. No test depends on a time.
"""
