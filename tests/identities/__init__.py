"""Derivatives that everybody knows by heart, hand-coded in ordinary NumPy, with their near misses.

A module is a subject. A case (`tests.gradients.Case`) holds a forward and a backward function, a
point, and three near misses or more, in this order: a factor 1 + 1e-9, a term dropped, an index,
an axis or an argument off; each is one piece of the source text replaced.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

from tests.gradients import Case, both, mutant

__all__ = ["MODULES", "Case", "both", "modules", "mutant"]

MODULES = (
    "activations",
    "rectifiers",
    "classification",
    "likelihoods",
    "normalization",
    "attention",
    "convolution",
    "recurrent",
    "matrices",
    "geometry",
    "embeddings",
    "assumptions",
)


def modules() -> Iterator[ModuleType]:
    """The modules of the corpus."""
    for name in MODULES:
        yield importlib.import_module(f"{__name__}.{name}")
