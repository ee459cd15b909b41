"""Text to SymPy by a whitelist: what is not in the grammar of `read` is refused, at its spot.

No text is ever executed: there is no eval, exec, sympify, parse_expr or lambdify here. `read` gives
a `Tree` with offsets; `build` turns it into SymPy values, with the literal conditions under which
the text, as written, is defined and differentiable. Every size is bounded (the MAX_ constants), so
that the worst text of 10,000 characters ends soon.
"""

from chainrule.text.bounds import (
    MAX_ARGUMENTS,
    MAX_BITS,
    MAX_COMPARED,
    MAX_CONSTANT,
    MAX_CONSTANT_DEPTH,
    MAX_DECIDED,
    MAX_DECIDED_DEPTH,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_LENGTH,
    MAX_NAME,
    MAX_POWER,
    MAX_SCALE,
    MAX_SIZE,
    MAX_TOKENS,
)
from chainrule.text.build import Built, Value, build
from chainrule.text.functions import CONSTANTS, FUNCTIONS
from chainrule.text.read import Source, Tree, read, read_definition
from chainrule.text.tokens import GREEK

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "GREEK",
    "MAX_ARGUMENTS",
    "MAX_BITS",
    "MAX_COMPARED",
    "MAX_CONSTANT",
    "MAX_CONSTANT_DEPTH",
    "MAX_DECIDED",
    "MAX_DECIDED_DEPTH",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_LENGTH",
    "MAX_NAME",
    "MAX_POWER",
    "MAX_SCALE",
    "MAX_SIZE",
    "MAX_TOKENS",
    "Built",
    "Source",
    "Tree",
    "Value",
    "build",
    "read",
    "read_definition",
]
