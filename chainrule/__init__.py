"""Says whether a derivative written by hand is right: proves it, or shows a certified point where
it is not.

This room holds the public names, loaded on first use (PEP 562): `import chainrule` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "derive": "chainrule.deriving",
    "check": "chainrule.corridor",
    "assert_derivative": "chainrule.corridor",
    "Limits": "chainrule.isolation",
    "Claim": "chainrule.claim.styles",
    "pair": "chainrule.claim.styles",
    "fused": "chainrule.claim.styles",
    "layer": "chainrule.claim.styles",
    "report": "chainrule.pages",
    "real": "chainrule.domains",
    "positive": "chainrule.domains",
    "interval": "chainrule.domains",
    "integers": "chainrule.domains",
    "one_hot": "chainrule.domains",
    "simplex": "chainrule.domains",
    "symmetric": "chainrule.domains",
    "positive_definite": "chainrule.domains",
    "orthogonal": "chainrule.domains",
    "unit_vector": "chainrule.domains",
    "Domain": "chainrule.domains",
    "Derivation": "chainrule.derivation",
    "Block": "chainrule.derivation",
    "Step": "chainrule.derivation",
    "Verdict": "chainrule.verdict",
    "Finding": "chainrule.verdict",
    "Scope": "chainrule.verdict",
    "Evidence": "chainrule.verdict",
    "Witness": "chainrule.verdict",
    "ChainruleError": "chainrule.errors",
    "TextError": "chainrule.errors",
    "DefinitionError": "chainrule.errors",
    "ShapeError": "chainrule.errors",
    "UsageError": "chainrule.errors",
    "TraceError": "chainrule.errors",
    "DerivativeError": "chainrule.errors",
    "ContradictionError": "chainrule.errors",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
