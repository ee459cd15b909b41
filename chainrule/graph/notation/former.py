"""A node as a term: as matrices where that says it, else entry by entry with indices.

`Former.form` writes a node without indices; where it cannot, the array is the family of its
entries, (Σ_k W[i,k,l] x[k])_i,l. `Former.entry` writes one entry. Both stop where the one who asks
says so: at named nodes, at calls of functions, at their slopes. Indices count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, count

from chainrule.graph.node import Node
from chainrule.graph.notation.former_arrays import FORMS
from chainrule.graph.notation.former_elementwise import elementwise, operation
from chainrule.graph.notation.former_entries import ENTRIES, Indices, aligned
from chainrule.graph.notation.matrix_form import contracted, lifted, ones
from chainrule.graph.notation.terms import (
    Entry,
    Family,
    Name,
    Product,
    Term,
    entries,
    is_family,
    is_ones,
    joined,
    number,
    split,
    times,
)
from chainrule.graph.sizes import Shape

Stop = Callable[[Node], Term | None]
_LETTERS = "ijklpqrstuvwabcfgh"


class Former:
    """Writes nodes.

    stop : a node as the term that stands for it, or None to go on.
    taken : names that indices must not have.
    """

    def __init__(self, stop: Stop, taken: Iterable[str] = ()) -> None:
        self.stop = stop
        self.taken = set(taken)

    # -- without indices -----------------------------------------------------------------------

    def form(self, node: Node, used: frozenset[str] = frozenset()) -> Term:
        """A node without indices outside of brackets. used : letters that indices have outside."""
        return self.stop(node) or self._form(node, used)

    def _form(self, node: Node, used: frozenset[str]) -> Term:
        if elementwise(node):
            return self._elementwise(node, used) or self.family(node, used)
        if node.op == "contract":
            terms = [self.form(i, used) for i in node.inputs]
            return contracted(node, terms) or self.family(node, used)
        if node.op == "broadcast":
            return self._broadcast(node, used) or self.family(node, used)
        if node.op in FORMS:
            return FORMS[node.op](self, node, used)
        return self.family(node, used)

    def family(self, node: Node, used: frozenset[str]) -> Term:
        """The array with such entries."""
        indices, inner = self.letters(node.shape, used)
        term = self._entry(node, indices, inner)
        return Family(term, indices) if entries(node.shape) else term

    def letters(self, shape: Shape, used: frozenset[str]) -> tuple[Indices, frozenset[str]]:
        """An index for each axis, 0 for axes of size 1, and the letters in use then."""
        free = self._free(used)
        indices: list[Term] = []
        for s in shape:
            if s == 1:
                indices.append(number(0))
            else:
                letter = next(free)
                used |= {letter}
                below = f"_{{{letter[1:]}}}" if letter[1:] else ""
                indices.append(Name(letter, letter[0] + below))
        return tuple(indices), used

    def _free(self, used: frozenset[str]) -> Iterator[str]:
        for letter in chain(_LETTERS, (f"i{k}" for k in count(1))):
            if letter not in used and letter not in self.taken:
                yield letter

    def _elementwise(self, node: Node, used: frozenset[str]) -> Term | None:
        parts = [self.form(i, used) for i in node.inputs]
        if any(is_family(p) for p in parts):
            return None
        whole = [
            i.shape == node.shape and not is_ones(split(p).body or p)
            for i, p in zip(node.inputs, parts, strict=True)
        ]
        stretched: list[Term] = []
        for i, p in zip(node.inputs, parts, strict=True):
            bare = node.op == "add" and any(whole) and i.ndim == 2 == node.ndim
            plain = joined(replace(split(p), number=abs(split(p).number)))
            if bare and i.shape != node.shape and isinstance(plain, Name):
                stretched.append(p)  # a named column is added to every column
                continue
            lift = lifted(p, i.shape, node.shape)
            if lift is None:
                return None
            stretched.append(lift)
        return operation(node, stretched, entries(node.shape))

    def _broadcast(self, node: Node, used: frozenset[str]) -> Term | None:
        x = node.inputs[0]
        term = self.form(x, used)
        if entries(x.shape) or not entries(node.shape):
            return lifted(term, x.shape, node.shape)
        block = ones(node.shape)
        return times(term, block) if block is not None else term

    # -- one entry -----------------------------------------------------------------------------

    def entry(self, node: Node, at: Indices, used: frozenset[str]) -> Term:
        """The entry of a node at indices, one for each axis."""
        found = self.stop(node)
        return _at(found, at) if found is not None else self._entry(node, at, used)

    def _entry(self, node: Node, at: Indices, used: frozenset[str]) -> Term:
        if elementwise(node):
            parts = [self.entry(i, aligned(at, i.shape), used) for i in node.inputs]
            return operation(node, parts, False)
        if node.op in ENTRIES:
            result = ENTRIES[node.op](self, node, at, used)
            if result is not None:
                return result
        return _at(self._form(node, used), at)


def _at(term: Term, at: Indices) -> Term:
    """One entry of what is written without indices; a number in front stays in front."""
    if not at or not term.array:
        return term
    p = split(term)
    front = joined(Product(p.number, p.over, p.under))
    assert p.body is not None
    return front if is_ones(p.body) else times(front, Entry(p.body, at))
