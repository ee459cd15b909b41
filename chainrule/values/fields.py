"""The prime fields in which residues are taken: p = 2q + 1, both prime, drawn from a seed.

q is uniform among the primes in [2⁶¹, 2⁶²) for which 2q + 1 is prime too; by the estimate of Hardy
and Littlewood there are about 2⁵⁰·⁵ of them. So a given integer of h bits, not 0, is 0 modulo p
with a chance below (h/62)·2⁻⁵⁰.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import fmpz

from chainrule.errors import ChainruleError

#: Small primes by which neither q nor 2q + 1 may be divisible; a sieve before the test.
SIEVE = (5, 7, 11, 13)


class NoResidue(ChainruleError):
    """An operation that has no sound residue, by its name; or a division by what is 0 here."""

    def __init__(self, op: str, why: str) -> None:
        self.op = op
        super().__init__(f"{op}: {why}")


class Unlucky(NoResidue):
    """A division by what is 0 at this point; at another one it may not be."""


class Vacuous(Unlucky):
    """What is undefined wherever this holds: a division by what is 0, formally."""


@dataclass(frozen=True)
class Field:
    """p = 2q + 1, both prime, and g of order q modulo p; all drawn from the seed."""

    seed: str
    p: int
    q: int
    g: int

    def random(self, modulus: int, *key: Any) -> int:
        """A number below the modulus that depends on nothing but the seed and the key.

        key : numbers, texts, and tuples of them; different keys are different texts.
        """
        text = repr((self.seed, modulus, key))
        digest = hashlib.blake2b(text.encode(), digest_size=32).digest()
        return int.from_bytes(digest, "big") % modulus


@lru_cache(maxsize=256)
def field(seed: str | int = 0) -> Field:
    """A field with p between 2⁶² and 2⁶³, by a seed.

    >>> f = field(1)
    >>> f.p == 2 * f.q + 1, pow(f.g, f.q, f.p)
    (True, 1)
    """
    start = Field(str(seed), 0, 0, 0)
    number = 0
    while True:  # independent draws, so that every such prime has the same chance
        q = 2**61 + start.random(2**61, "prime", number)
        number += 1
        if q % 6 == 5 and all(q % s and (2 * q + 1) % s for s in SIEVE):
            if fmpz(q).is_prime() and fmpz(2 * q + 1).is_prime():
                break
    p = 2 * q + 1
    g = pow(2 + start.random(p - 3, "generator"), 2, p)  # a square other than 1 has the order q
    return Field(str(seed), p, q, g)


__all__ = ["Field", "NoResidue", "Unlucky", "Vacuous", "field"]
