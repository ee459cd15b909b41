"""Operations that move entries: what is proved of them for every size, and what must not be."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size
from chainrule.proof import prove_all, prove_equal

G = Graph({"n": 4, "m": 3})
N, M = Size.axis("n"), Size.axis("m")
X, Y, V = G.input("x", (N,)), G.input("y", (M,)), G.input("v", (N * M,))
A, T = G.input("A", (N, M)), G.input("T", (N, M, Size.of(2)))
PICK, K = G.input("i", (M,), "i"), G.input("k", (M,), "i")
ZERO, ONE, TWO = (G.number(Fraction(k)) for k in range(3))


def cut(x: Node, *parts: tuple[int | Size, int, int | Size]) -> Node:
    """x at slices (first, step, length)."""
    return G.index(x, tuple(("cut", Size.of(a), s, Size.of(n)) for a, s, n in parts))


def entry(x: Node, *places: int | Size) -> Node:
    """x at places."""
    return G.index(x, tuple(("at", Size.of(p)) for p in places))


def written(x: Node, value: Node, first: int | Size, length: int | Size, step: int = 1) -> Node:
    """x with a slice written."""
    return G.put(x, value, (("cut", Size.of(first), step, Size.of(length)),))


def table(*entries: int) -> Node:
    return G.array(np.array(entries))


def squares(x: Node) -> Node:
    return G.sum(G.power(x, 2), range(x.ndim))


def sigma(x: Node) -> Node:
    return G.div(ONE, G.add(ONE, G.call("exp", x)))


def exps(x: Node) -> Node:
    return G.call("exp", x)


def logs(x: Node) -> Node:
    return G.sum(G.call("log", x), range(x.ndim))


HEAD, TAIL = cut(X, (0, 1, N - 1)), cut(X, (1, 1, N - 1))
TOP = G.reduce("reduce_max", X, [0])
LINES: dict[str, tuple[Node, list[Node], list[Node]]] = {
    "one after another": (
        X,
        [
            G.concat([cut(X, (0, 1, 1)), TAIL], 0),
            G.concat([HEAD, cut(X, (N - 1, 1, 1))], 0),
            cut(G.concat([X, Y], 0), (0, 1, N)),
            cut(G.concat([Y, X], 0), (M, 1, N)),
        ],
        [
            G.concat([TAIL, cut(X, (0, 1, 1))], 0),
            cut(G.concat([X, Y], 0), (M, 1, N)),
            G.concat([cut(X, (0, 1, 1)), HEAD], 0),
            G.concat([HEAD, cut(X, (0, 1, 1))], 0),
        ],
    ),
    "sums over parts": (
        squares(G.concat([X, Y], 0)),
        [G.add(squares(X), squares(Y)), squares(G.concat([Y, X], 0))],
        [
            squares(G.concat([X, X], 0)),
            squares(G.concat([X, TAIL], 0)),
            G.sub(squares(X), squares(Y)),
            squares(G.concat([X, Y, cut(X, (0, 1, 1))], 0)),
        ],
    ),
    "logs over parts": (
        logs(G.concat([X, Y], 0)),
        [G.add(logs(X), logs(Y))],
        [logs(X), G.add(logs(X), logs(X)), G.sub(logs(X), logs(Y))],
    ),
    "a sum without its first": (
        squares(TAIL),
        [G.sub(squares(X), G.power(entry(X, 0), 2)), squares(cut(X, (N - 1, -1, N - 1)))],
        [
            squares(X),
            G.sub(squares(X), G.power(entry(X, N - 1), 2)),
            squares(HEAD),
            G.sub(squares(X), entry(X, 0)),
        ],
    ),
    "neighbors": (
        G.einsum("i,i->", HEAD, TAIL),
        [G.einsum("i,i->", cut(X, (N - 2, -1, N - 1)), cut(X, (N - 1, -1, N - 1)))],
        [
            G.einsum("i,i->", HEAD, HEAD),
            G.einsum("i,i->", HEAD, cut(X, (N - 1, -1, N - 1))),
            G.einsum("i,i->", TAIL, TAIL),
        ],
    ),
    "written": (
        written(X, G.mul(TWO, TAIL), 1, N - 1),
        [
            G.concat([cut(X, (0, 1, 1)), G.mul(TWO, TAIL)], 0),
            written(G.mul(TWO, X), cut(X, (0, 1, 1)), 0, 1),
            written(X, G.mul(TWO, cut(X, (N - 1, -1, N - 1))), N - 1, N - 1, -1),
        ],
        [
            written(X, G.mul(TWO, HEAD), 1, N - 1),
            written(X, G.mul(TWO, TAIL), 0, N - 1),
            G.mul(TWO, X),
            written(X, G.mul(TWO, cut(X, (N - 1, -1, N - 1))), 1, N - 1),
        ],
    ),
    "the last write wins": (
        G.put(G.put(X, ONE, (("at", Size.of(0)),)), TWO, (("at", Size.of(0)),)),
        [G.put(X, TWO, (("at", Size.of(0)),))],
        [
            G.put(X, ONE, (("at", Size.of(0)),)),
            G.put(G.put(X, TWO, (("at", Size.of(0)),)), ONE, (("at", Size.of(0)),)),
            G.put(X, TWO, (("at", N - 1),)),
        ],
    ),
    "picked": (
        G.gather(G.power(X, 2), PICK),
        [G.power(G.gather(X, PICK), 2)],
        [G.power(G.gather(X, K), 2), G.gather(X, PICK), G.mul(G.gather(X, PICK), G.gather(X, K))],
    ),
    "picked and added": (
        G.einsum("j,j->", sigma(G.gather(X, PICK)), Y),
        [G.einsum("i,i->", sigma(X), G.scatter_add(Y, [N], PICK))],
        [
            G.einsum("i,i->", sigma(X), G.scatter_add(Y, [N], K)),
            G.einsum("i,i->", X, G.scatter_add(Y, [N], PICK)),
            G.einsum("j,j->", sigma(G.gather(X, PICK)), G.gather(X, PICK)),
        ],
    ),
    "what is added is all there": (
        G.sum(G.scatter_add(Y, [N], PICK), [0]),
        [G.sum(Y, [0]), G.sum(G.scatter_add(Y, [N], K), [0])],
        [
            squares(G.scatter_add(Y, [N], PICK)),
            G.sum(X, [0]),
            G.sum(G.scatter_add(G.power(Y, 2), [N], PICK), [0]),
        ],
    ),
    "repeated places": (
        G.scatter_add(cut(X, (0, 1, 2)), [N], table(0, 0)),
        [
            G.put(
                G.broadcast(ZERO, (N,)),
                G.add(entry(X, 0), entry(X, 1)),
                (("at", Size.of(0)),),
            )
        ],
        [
            G.scatter_add(cut(X, (0, 1, 2)), [N], table(0, 1)),
            G.put(G.broadcast(ZERO, (N,)), entry(X, 1), (("at", Size.of(0)),)),
            G.scatter_add(cut(X, (0, 1, 2)), [N], table(1, 1)),
        ],
    ),
    "counted from the end": (
        G.gather(X, table(-1, 0)),
        [G.concat([cut(X, (N - 1, 1, 1)), cut(X, (0, 1, 1))], 0)],
        [
            G.gather(X, table(1, 0)),
            G.gather(X, table(0, -1)),
            G.concat([cut(X, (1, 1, 1)), cut(X, (0, 1, 1))], 0),
        ],
    ),
    "flat": (
        G.einsum("i,i->", G.reshape(A, (N * M,)), sigma(V)),
        [G.einsum("ij,ij->", A, sigma(G.reshape(V, (N, M))))],
        [
            G.einsum("ij,ji->", A, sigma(G.reshape(V, (M, N)))),
            G.einsum("i,i->", G.reshape(G.transpose(A), (N * M,)), sigma(V)),
            G.einsum("ij,ij->", A, G.reshape(V, (N, M))),
        ],
    ),
    "flat and back": (
        A,
        [
            G.reshape(G.reshape(A, (N * M,)), (N, M)),
            G.reshape(G.reshape(A, (N, M, Size.of(1))), (N, M)),
        ],
        [
            G.transpose(G.reshape(G.reshape(A, (N * M,)), (M, N))),
            G.transpose(G.reshape(A, (M, N))),
            G.reshape(V, (N, M)),
        ],
    ),
    "flat sums": (
        squares(V),
        [squares(G.reshape(V, (N, M))), squares(G.reshape(V, (M, N)))],
        [
            squares(A),
            G.power(G.sum(V, [0]), 2),
            G.einsum("ij,ij->", G.reshape(V, (N, M)), G.transpose(G.reshape(V, (M, N)))),
        ],
    ),
    "three axes": (
        G.reshape(T, (N, M * 2)),
        [G.reshape(G.reshape(T, (N * M * 2,)), (N, M * 2))],
        [
            G.reshape(G.transpose(T, (0, 2, 1)), (N, M * 2)),
            G.transpose(G.reshape(G.reshape(T, (N * M * 2,)), (M * 2, N))),
            G.reshape(G.concat([cut(T, (0, 1, N), (0, 1, M), (0, 1, 1))] * 2, 2), (N, M * 2)),
        ],
    ),
    "the largest": (
        G.reduce("reduce_max", G.add(G.mul(TWO, X), G.sum(Y, [0])), [0]),
        [G.add(G.mul(TWO, TOP), G.sum(Y, [0]))],
        [
            G.add(G.mul(TWO, TOP), entry(Y, 0)),
            G.neg(G.reduce("reduce_max", G.sub(G.neg(G.sum(Y, [0])), G.mul(TWO, X)), [0])),
            G.add(TOP, G.sum(Y, [0])),
        ],
    ),
    "log sum exp": (
        G.add(TOP, G.call("log", G.sum(exps(G.sub(X, TOP)), [0]))),
        [
            G.call("log", G.sum(exps(X), [0])),
            G.add(ONE, G.call("log", G.sum(exps(G.sub(X, ONE)), [0]))),
        ],
        [
            G.call("log", G.sum(exps(G.sub(X, TOP)), [0])),
            G.add(entry(X, 0), G.call("log", G.sum(exps(G.sub(X, TOP)), [0]))),
            G.add(TOP, G.call("log", G.sum(exps(G.sub(TOP, X)), [0]))),
        ],
    ),
    "products": (
        G.reduce("reduce_mul", G.mul(X, exps(X)), [0]),
        [G.mul(G.reduce("reduce_mul", X, [0]), exps(G.sum(X, [0])))],
        [
            G.mul(G.reduce("reduce_mul", X, [0]), exps(X if not X.ndim else entry(X, 0))),
            G.reduce("reduce_mul", X, [0]),
            G.mul(TWO, G.reduce("reduce_mul", G.mul(X, exps(X)), [0])),
            G.reduce("reduce_mul", G.mul(TWO, G.mul(X, exps(X))), [0]),
        ],
    ),
    "below the diagonal": (
        G.select(G.less(G.reshape(G.iota(N), (N, 1)), G.iota(N)), ZERO, ONE),
        [
            G.sub(
                ONE,
                G.select(G.less(G.reshape(G.iota(N), (N, 1)), G.iota(N)), ONE, ZERO),
            )
        ],
        [
            G.select(G.less(G.iota(N), G.reshape(G.iota(N), (N, 1))), ZERO, ONE),
            G.select(G.less(G.reshape(G.iota(N), (N, 1)), G.iota(N)), ONE, ZERO),
            G.select(G.equal(G.reshape(G.iota(N), (N, 1)), G.iota(N)), ONE, ZERO),
            G.select(G.less(G.iota(N), G.reshape(G.iota(N), (N, 1))), ONE, ZERO),
        ],
    ),
    "halves of a norm": (
        G.power(G.mul(squares(X), squares(Y)), Fraction(1, 2)),
        [G.mul(G.power(squares(X), Fraction(1, 2)), G.power(squares(Y), Fraction(1, 2)))],
        [
            G.power(G.add(squares(X), squares(Y)), Fraction(1, 2)),
            G.mul(G.power(squares(X), Fraction(1, 2)), squares(Y)),
            G.mul(G.power(squares(X), Fraction(1, 2)), G.power(squares(X), Fraction(1, 2))),
        ],
    ),
    "a sum within": (
        G.sum(G.div(exps(A), G.reshape(G.sum(exps(A), [1]), (N, 1))), [0, 1]),
        [G.sized(N)],
        [
            G.sized(M),
            G.sized(N * M),
            G.sum(G.div(exps(A), G.sum(exps(A), [0])), [0, 1]),
        ],
    ),
    "angles": (
        G.call("sin", G.add(X, G.mul(TWO, entry(Y, 0)))),
        [
            G.add(
                G.mul(G.call("sin", X), G.call("cos", G.mul(TWO, entry(Y, 0)))),
                G.mul(
                    G.mul(TWO, G.call("cos", X)),
                    G.mul(G.call("sin", entry(Y, 0)), G.call("cos", entry(Y, 0))),
                ),
            )
        ],
        [
            G.sub(
                G.mul(G.call("sin", X), G.call("cos", G.mul(TWO, entry(Y, 0)))),
                G.mul(G.call("cos", X), G.call("sin", G.mul(TWO, entry(Y, 0)))),
            ),
            G.add(G.call("sin", X), G.call("sin", G.mul(TWO, entry(Y, 0)))),
            G.call("cos", G.add(X, G.mul(TWO, entry(Y, 0)))),
            G.call("sin", G.sub(X, G.mul(TWO, entry(Y, 0)))),
        ],
    ),
    "half angles": (
        G.call("cos", X),
        [G.sub(ONE, G.mul(TWO, G.power(G.call("sin", G.div(X, TWO)), 2)))],
        [
            G.sub(ONE, G.mul(TWO, G.power(G.call("cos", G.div(X, TWO)), 2))),
            G.sub(ONE, G.power(G.call("sin", G.div(X, TWO)), 2)),
            G.call("sin", G.add(X, G.number("pi"))),
        ],
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_places(name: str) -> None:
    """Equal for every size: proved. Near misses: not, with or without the kinks."""
    left, right, wrong = LINES[name]
    proofs = prove_all([(left, b) for b in right])
    assert all(p.equal for p in proofs), [p.reason for p in proofs]
    for apart in (False, True):
        for k, proof in enumerate(prove_all([(left, b) for b in wrong], apart=apart)):
            assert not proof.equal, (name, k)
    assert len(wrong) >= 3


def test_one_name_two_places() -> None:
    """A sum over a row that is named first is not the sum over every row."""
    row = G.einsum("j,j->", G.index(A, (("at", Size.of(0)), ("cut", Size.of(0), 1, M))), Y)
    every = G.einsum("ij,j->i", A, Y)
    for a, b in ((G.broadcast(row, (N,)), every), (every, G.broadcast(row, (N,)))):
        assert not prove_equal(a, b).equal
    assert prove_equal(G.index(every, (("at", Size.of(0)),)), row).equal


def test_digits_counted_back() -> None:
    """A flat array that is reversed, written or read: its places have digits, counted back."""
    flat, back = G.reshape(A, (N * M,)), (N * M - 1, -1, N * M)
    turned, written_back = cut(flat, back), written(V, flat, N * M - 1, N * M, -1)
    rows = cut(A, (N - 1, -1, N), (M - 1, -1, M))
    proved = [
        (written_back, turned),
        (G.reshape(turned, (N, M)), rows),
        (squares(turned), squares(A)),
    ]
    refused = [(V, written_back), (flat, turned), (V, turned), (cut(V, back), V), (rows, A)]
    assert all(p.equal for p in prove_all(proved))
    for apart in (False, True):
        assert not any(p.equal for p in prove_all(refused, apart=apart))


def test_an_empty_axis() -> None:
    """What may be empty has no largest, and an empty sum is 0: nothing is taken from it."""
    for f in (lambda x: G.reduce("reduce_max", x, [0]), lambda x: G.call("log", G.sum(x, [0]))):
        make: Callable[[Node], Node] = f
        assert not prove_equal(make(exps(TAIL)), make(exps(X))).equal
    zero = G.sum(G.broadcast(ZERO, (N - 1,)), [0])
    assert not prove_equal(G.sum(G.broadcast(ONE, (N - 1,)), [0]), zero).equal


def test_sizes_that_coincide() -> None:
    """Two axes of one size here are two axes."""
    g = Graph({"n": 3, "m": 3})
    a, b = g.input("a", (g.axis("n", 3),)), g.input("b", (g.axis("m", 3),))
    pairs = [
        (g.sized(Size.axis("n")), g.sized(Size.axis("m"))),
        (g.sum(g.concat([a, b], 0), [0]), g.mul(g.number(2), g.sum(a, [0]))),
        (
            g.index(g.concat([a, b], 0), (("at", Size.of(3)),)),
            g.index(b, (("at", Size.of(0)),)),
        ),
    ]
    assert [p.equal for p in prove_all(pairs)] == [False, False, False]


def test_several_at_once() -> None:
    """One reading for several pairs says what several readings say, and spends less."""
    pairs = [(left, b) for left, right, wrong in LINES.values() for b in (right[0], wrong[0])][:16]
    together = prove_all(pairs)
    apart = [prove_equal(a, b) for a, b in pairs]
    assert [p.equal for p in together] == [p.equal for p in apart]
    w = G.einsum("ij,kj->ik", A, A)
    deep = G.einsum("ij,jk,kl->il", w, w, w)
    same = [(G.mul(TWO, deep), G.add(deep, deep)), (G.neg(G.neg(deep)), deep)]
    assert prove_all(same)[-1].products < sum(prove_equal(a, b).products for a, b in same)


def test_a_pair_that_costs_too_much() -> None:
    """What exceeds the budget of all is read again alone, and takes no other pair with it."""
    big = X
    for _ in range(6):
        big = G.power(G.add(big, TAIL if big.ndim == 0 else exps(big)), 3)
    easy = (G.add(X, X), G.mul(TWO, X))
    proofs = prove_all([(G.sum(big, [0]), G.sum(G.mul(TWO, big), [0])), easy], budget=3_000)
    assert [p.equal for p in proofs] == [False, True]
    assert prove_all([]) == []
