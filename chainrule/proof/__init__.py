"""The prover for graphs: are two nodes the same function, for every shape?

Index notation in a normal form: an entry is a polynomial in atoms over factored denominators, sums
are atoms named up to the letters of their indices, conditions are atoms that are 0 or 1. Answers
*proved*, with what must hold for both sides to be defined, or *don't know* with the reason. Nothing
here says *different*: only a witness may.
"""

from chainrule.proof.conditions import Condition, conditions
from chainrule.proof.equality import Proof, prove_all, prove_equal
from chainrule.proof.holding import holding, holds
from chainrule.proof.joining import Joined, joined

__all__ = [
    "Condition",
    "Joined",
    "Proof",
    "conditions",
    "holding",
    "holds",
    "joined",
    "prove_all",
    "prove_equal",
]
