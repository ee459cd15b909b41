"""Residues of whole arrays: sums, products, places, matrices; and their exponents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import nmod_mat

from chainrule.graph.node import Node
from chainrule.values import structure
from chainrule.values.exponents import Form, number
from chainrule.values.fields import NoResidue, Unlucky, Vacuous
from chainrule.values.residue_entries import Modulus, each, objects, plain_numbers
from chainrule.values.structure import Array, Kernel

SMALL = 4  # rows of a matrix with roots or conditions


def _total(x: Array, axes: tuple[int, ...]) -> Array:
    return objects(x.sum(axis=axes, initial=0))


def _matmul(mod: Modulus) -> Callable[[Array, Array], Array]:
    def product(x: Array, y: Array) -> Array:
        (b, n, k), m = x.shape, y.shape[2]
        out = np.empty((b, n, m), object)
        out.fill(0)
        for batch in range(b):
            if not (n and k and m):
                break
            if mod.m == 0 or n * k * m < 64 or not plain_numbers(x[batch], y[batch]):
                out[batch] = x[batch] @ y[batch]
                continue
            left, right = _matrix(x[batch], mod), _matrix(y[batch], mod)
            flat = [int(v) for v in (left * right).entries()]
            out[batch] = np.array(flat, object).reshape(n, m)
        return out

    return product


def _matrix(x: Array, mod: Modulus) -> nmod_mat:
    rows, columns = x.shape
    return nmod_mat(rows, columns, [int(v) % mod.m for v in x.flat], mod.m)


def contract(node: Node, xs: list[Array], mod: Modulus) -> Array:
    multiply = lambda x, y: mod(objects(x * y))  # noqa: E731
    labels, out = node.params
    return mod(structure.contract(labels, out, xs, Kernel(multiply, _total, _matmul(mod), 1)))


def _lines(x: Array, axes: tuple[int, ...]) -> tuple[list[list[Any]], tuple[int, ...]]:
    """The entries over axes, for every place on the others; and the shape of the others."""
    others = [a for a in range(x.ndim) if a not in axes]
    shape = tuple(x.shape[a] for a in others)
    line = int(np.prod([x.shape[a] for a in axes]))
    lines = np.transpose(x, (*others, *axes)).reshape(int(np.prod(shape)), line)
    return lines.tolist(), shape


def folded(f: Callable[[Node, list[Any], Modulus], Any]) -> Callable[..., Array]:
    def rule(node: Node, xs: list[Array], mod: Modulus) -> Array:
        lines, shape = _lines(xs[0], node.params[0])
        out = np.empty(len(lines), object)
        for k, line in enumerate(lines):
            out[k] = f(node, line, mod)
        return out.reshape(shape)

    return rule


def product(node: Node, line: list[Any], mod: Modulus) -> Any:
    total: Any = 1
    for entry in line:
        total = total * entry
        total = total % mod.m if mod.m else total
    return total


def largest(node: Node, line: list[Any], mod: Modulus) -> Any:
    """The largest entry: a function of the entries as a set."""
    if not line:
        raise NoResidue(node.op, "of nothing")
    if node.kind == "f":
        different = {mod.point.key(v): v for v in line}
        if len(different) == 1:
            return line[0]
        mod.point.keyed += len(line)
        return mod.point.over.random(mod.m, node.op, tuple(sorted(different, key=repr)))
    if node.kind == "b":
        total = line[0]
        for entry in line[1:]:
            total = total + entry - total * entry
        return total
    return mod.point.lifted(lambda *v: max(v), *line)


def moved(node: Node, xs: list[Array], mod: Modulus) -> Array:
    return mod(moved_as(node, xs, mod))


def moved_as(node: Node, xs: list[Array], mod: Modulus) -> Array:
    moving, where = structure.split(node, xs)
    if not plain_numbers(*where):
        raise NoResidue(node.op, "places that depend on real numbers")
    indices = [x.astype(np.int64) for x in where]
    return objects(structure.moved(node, moving, indices, mod.sizes, 0, np.add))


def _stack(x: Array) -> list[Array]:
    return [x[at] for at in np.ndindex(x.shape[:-2])]


def _laplace(a: Array, mod: Modulus) -> Any:
    """The determinant of a small matrix without division, so that entries may be elements."""
    if len(a) > SMALL:
        raise NoResidue("solve", f"a matrix of {len(a)} rows with roots or conditions")
    if not len(a):
        return 1
    total: Any = 0
    for k in range(len(a)):
        minor = np.delete(a[1:], k, axis=1)
        total = (total + (-1) ** k * (a[0, k] * _laplace(minor, mod))) % mod.m
    return total


def _cramer(a: Array, b: Array, mod: Modulus) -> Array:
    """A⁻¹B by Cramer's rule; where det A = 0 nothing is defined."""
    below = mod.point.inverse(_laplace(a, mod))
    out = np.empty(b.shape, object)
    for i, j in np.ndindex(b.shape):
        changed = a.copy()
        changed[:, i] = b[:, j]
        out[i, j] = _laplace(changed, mod) * below % mod.m
    return out


def solve(node: Node, xs: list[Array], mod: Modulus) -> Array:
    out = np.empty(xs[1].shape, object)
    if not out.size:
        return out
    for at in np.ndindex(out.shape[:-2]):
        if not plain_numbers(xs[0][at], xs[1][at]):
            out[at] = _cramer(xs[0][at], xs[1][at], mod)
            continue
        mod.point.cases += 1
        try:
            found = _matrix(xs[0][at], mod).solve(_matrix(xs[1][at], mod))
        except ZeroDivisionError:
            raise Unlucky("solve", "a matrix that is singular for these inputs") from None
        flat = [int(v) for v in found.entries()]
        out[at] = np.array(flat, object).reshape(out.shape[-2:])
    return out


def det(node: Node, xs: list[Array], mod: Modulus) -> Array:
    flat = [
        (int(_matrix(a, mod).det()) if a.size else 1) if plain_numbers(a) else _laplace(a, mod)
        for a in _stack(xs[0])
    ]
    return np.array([*flat, None], object)[:-1].reshape(xs[0].shape[:-2])


def linear_sum(node: Node, xs: list[Array], mod: Modulus) -> Array:
    """A contraction of exponents: all but one of the factors are numbers."""

    def matmul(x: Array, y: Array) -> Array:
        out = (x[:, :, :, None] * y[:, None, :, :]).sum(axis=2, initial=0)
        return objects(out)

    labels, out = node.params
    kernel = Kernel(lambda x, y: objects(x * y), _total, matmul, number(1))
    return each(
        lambda v: v if isinstance(v, Form) else number(v),
        objects(structure.contract(labels, out, xs, kernel)),
    )


def quotient(node: Node, xs: list[Array], mod: Modulus) -> Array:
    def one(a: Form, b: Form) -> Form:
        c = b.constant()
        if not c:
            raise Vacuous("div", "a denominator that is 0")
        return a * number(1 / c)

    return each(one, *xs)
