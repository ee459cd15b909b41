"""Traps of memory: views, aliases, copies, buffers; and the layouts of what is given."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ways.honest import right, right_or_refused

Array = Any


def drawn(*shape: int, seed: int = 0) -> Array:
    """Normal numbers."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def alias(x: Array) -> Any:
    a = x * 1
    b = a
    b += 1
    return np.sum(a**2)


def no_alias(x: Array) -> Any:
    a = x * 1
    b = a
    b = b + 1
    return np.sum(a**2 + b)


def slice_alias(x: Array) -> Any:
    a = x * 1
    b = a[:]
    b *= 3
    return np.sum(a**2)


def list_copy(x: Array) -> Any:
    a = list(x)
    b = a[:]
    b[0] = 0.0
    return sum(v**2 for v in a)


def transposed_alias(x: Array) -> Any:
    a = np.outer(x, x)
    a.T[0] = 0
    return np.sum(a)


def ravel_of_transpose(x: Array) -> Any:
    """A copy: the write does not go through."""
    a = np.outer(x, x)
    a.T[:2].ravel()[:] = 0
    return np.sum(a)


def ravel_of_whole(x: Array) -> Any:
    a = np.outer(x, x)
    a.ravel()[:] = 0
    a.ravel()[0] = x[0]
    return np.sum(a)


def flatten_is_a_copy(x: Array) -> Any:
    a = np.outer(x, x)
    a.flatten()[:] = 0
    return np.sum(a)


def reshape_of_columns(x: Array) -> Any:
    """The columns of an array in row order do not lie together: a copy."""
    a = np.outer(x, x)
    a[:, :2].reshape(-1)[:] = 0
    return np.sum(a)


def asarray_alias(x: Array) -> Any:
    a = x * 1
    np.asarray(a)[0] = 0
    return np.sum(a**2)


def array_copy(x: Array) -> Any:
    a = x * 1
    np.array(a)[0] = 0
    return np.sum(a**2)


def fancy_copy(x: Array) -> Any:
    a = x * 1
    b = a[[0, 1]]
    b *= 0
    return np.sum(a**2)


def fancy_store(x: Array) -> Any:
    a = x * 1
    a[[0, 1]] *= 2
    a[[2, 2]] += 1
    return np.sum(a**2)


def mask_copy(x: Array) -> Any:
    a = x * 1
    b = a[a < 1e9]
    b *= 0
    return np.sum(a**2)


def stored_before(x: Array) -> Any:
    a = x * 1
    b = a * 2
    a[0] = 0
    return np.sum(b**2)


def view_made_before(x: Array) -> Any:
    a = x * 1
    v = a[1:]
    a *= 2
    a[-1] = x[0]
    return np.sum(v**2)


def view_of_view(x: Array) -> Any:
    a = x * 1
    v = a[::-1][1:]
    v[0] *= 5
    w = v[::2]
    w += x[0]
    return np.sum(a**2)


def rows_in_a_loop(x: Array) -> Any:
    a = np.outer(x, x)
    for row in a:
        row *= x[0]
    return np.sum(a)


def helper_writes(x: Array) -> Any:
    def grow(v: Array, by: float) -> None:
        v += by

    a = x * 1
    grow(a[1:], 2.0)
    return np.sum(a**2)


def overlapping(x: Array) -> Any:
    a = x * 1
    a[1:] += a[:-1]
    a[:-1] = a[1:]
    return np.sum(a**2)


def plus_transpose(x: Array) -> Any:
    a = np.outer(x, np.arange(1.0, len(x) + 1))
    a += a.T
    return np.sum(a**2)


def out_into_a_row(x: Array) -> Any:
    a = np.zeros((2, len(x)))
    np.multiply(x, x, out=a[1])
    np.add(a[1], x, out=a[0])
    return np.sum(a[0] * a[1])


def out_is_the_input(x: Array) -> Any:
    a = x * 1
    c = np.exp(a, out=a)
    c += 1
    return np.sum(a**2) + (0 if c is a else 1e9)


def swapped_rows(x: Array) -> Any:
    a = np.outer(x, x**2)
    a[0], a[1] = a[1], a[0]  # the views: both rows end equal
    return np.sum(a[0] * np.arange(1, len(x) + 1)) + np.sum(a[1])


def swapped_copies(x: Array) -> Any:
    a = np.outer(x, x**2)
    a[[0, 1]] = a[[1, 0]]
    return np.sum(a[0] * np.arange(1, len(x) + 1)) + np.sum(a[1])


def in_two_lists(x: Array) -> Any:
    a = x * 1
    first, second = [a], {"a": a}
    first[0] *= 2
    second["a"] += 1
    return np.sum(a**2)


def repeated_list(x: Array) -> Any:
    rows = [x * 1] * 2
    rows[0] += 1
    return np.sum(np.array(rows) ** 2)


def filled_object(x: Array) -> Any:
    box = SimpleNamespace(a=x * 1)
    box.a += 1
    box.a[0] = 2 * x[0]
    return np.sum(box.a**2)


def scalar_is_no_view(x: Array) -> Any:
    a = x * 1
    s = a[0]
    s += 100.0
    a[0] *= 2
    return np.sum(a**2) + s


def zero_d_view(x: Array) -> Any:
    a = x * 1
    v = a[0, ...]
    v += 1
    v *= 2
    return np.sum(a**2)


def augmented_after_branching(x: Array) -> Any:
    total = np.zeros(2)
    for k, v in enumerate(x):
        total[k % 2] += v**2
    return total[0] * total[1]


def deleted(x: Array) -> Any:
    a = x * 1
    v = a[:2]
    del a
    v *= 2
    return np.sum(v**2)


SQUARES_BUT_FIRST = lambda x: 2 * x * (np.arange(len(x)) > 0)  # noqa: E731
OUTER = lambda x: 2 * np.sum(x) * np.ones(len(x))  # noqa: E731


def _overlapping(x: Array) -> Array:
    """(x0 + x1, x1 + x2, …, last twice)."""
    out = np.zeros_like(x)
    for k in range(1, len(x)):
        twice = 2 if k == len(x) - 1 else 1
        out[k] += twice * 2 * (x[k] + x[k - 1])
        out[k - 1] += twice * 2 * (x[k] + x[k - 1])
    return out


def _numerically(function: Callable[..., Any]) -> Callable[[Array], Array]:
    """The complex step: exact to rounding for what is polynomial or analytic, and knows memory."""

    def d(x: Array) -> Array:
        out = np.zeros_like(x)
        for k in range(len(x)):
            z = x.astype(complex)
            z[k] += 1e-30j
            out[k] = np.imag(function(z)) / 1e-30
        return out

    return d


MEMORY: dict[Callable[..., Any], Callable[[Array], Array]] = {
    alias: lambda x: 2 * (x + 1),
    no_alias: lambda x: 2 * x + 1,
    slice_alias: lambda x: 18 * x,
    list_copy: lambda x: 2 * x,
    transposed_alias: lambda x: 2 * np.sum(x) - x[0] - np.eye(len(x))[0] * np.sum(x),
    ravel_of_transpose: OUTER,
    ravel_of_whole: lambda x: np.eye(len(x))[0],
    flatten_is_a_copy: OUTER,
    reshape_of_columns: OUTER,
    asarray_alias: SQUARES_BUT_FIRST,
    array_copy: lambda x: 2 * x,
    fancy_copy: lambda x: 2 * x,
    fancy_store: lambda x: 2 * x * np.array([4, 4, *([1] * (len(x) - 2))]) + 2 * np.eye(len(x))[2],
    mask_copy: lambda x: 2 * x,
    stored_before: lambda x: 8 * x,
    swapped_copies: _numerically(swapped_copies),
    swapped_rows: _numerically(swapped_rows),
    view_made_before: lambda x: np.r_[2 * x[0], 8 * x[1:-1], 0],
    view_of_view: _numerically(view_of_view),
    rows_in_a_loop: lambda x: 2 * x[0] * np.sum(x) + np.eye(len(x))[0] * np.sum(x) ** 2,
    helper_writes: lambda x: 2 * (x + 2 * (np.arange(len(x)) > 0)),
    overlapping: _overlapping,
    plus_transpose: _numerically(plus_transpose),
    out_into_a_row: lambda x: 4 * x**3 + 3 * x**2,
    out_is_the_input: lambda x: 2 * (np.exp(x) + 1) * np.exp(x),
    in_two_lists: lambda x: 4 * (2 * x + 1),
    repeated_list: lambda x: 4 * (x + 1),
    filled_object: lambda x: np.r_[8 * x[0], 2 * (x[1:] + 1)],
    scalar_is_no_view: lambda x: 2 * x + np.eye(len(x))[0] * (6 * x[0] + 1),
    zero_d_view: lambda x: 2 * x + np.eye(len(x))[0] * (8 * (x[0] + 1) - 2 * x[0]),
    augmented_after_branching: lambda x: (
        2 * x * np.where(np.arange(len(x)) % 2 == 0, np.sum(x[1::2] ** 2), np.sum(x[::2] ** 2))
    ),
    deleted: lambda x: 8 * x * (np.arange(len(x)) < 2),
}


@pytest.mark.parametrize("function", MEMORY, ids=lambda f: f.__name__)
def test_memory(function: Callable[..., Any]) -> None:
    """A write through a view is a write, one into a copy is none; here, and at other sizes."""
    others = [{"x": drawn(5, seed=1)}, {"x": drawn(4)}, {"x": drawn(7)}]
    for x in (drawn(5), drawn(4)):  # the expectation itself
        measured = [
            (function(x + 1e-6 * e) - function(x - 1e-6 * e)) / 2e-6 for e in np.eye(len(x))
        ]
        np.testing.assert_allclose(MEMORY[function](x), measured, rtol=1e-5, atol=1e-6)
    right(function, {"x": drawn(5)}, ("x",), MEMORY[function], others)


def test_arguments_that_share_memory() -> None:
    """Two arguments are two variables, even where one array, or overlapping ones, are given."""
    A = drawn(4)
    cases = [(A, A), (A[:3], A[1:]), (A[:3], A[:3]), (A[::-1], A), (A[:2], A[2:])]
    for x, y in cases:
        for function in (lambda x, y: np.sum(x**2 * y), lambda x, y: np.sum(x * x * y)):
            right(
                function,
                {"x": x, "y": y},
                ("x", "y"),
                lambda x, y: (2 * x * y, x**2),
                [{"x": drawn(len(x), seed=2), "y": drawn(len(x), seed=3)}],
            )


@pytest.mark.parametrize(
    "x",
    [
        np.asfortranarray(drawn(3, 4)),
        drawn(4, 3).T,
        drawn(3, 4)[::-1, ::-1],
        drawn(6, 8)[::2, ::2],
        np.broadcast_to(drawn(4), (3, 4)),
        np.broadcast_to(drawn(1, 1), (3, 4)),
        np.frombuffer(drawn(3, 4).tobytes()).reshape(3, 4),
        drawn(3, 4).astype(">f8"),
        np.lib.stride_tricks.as_strided(drawn(12), (3, 4), (8, 16)),
    ],
    ids=["F", "T", "reversed", "strided", "rows", "one", "read-only", "big-endian", "overlapping"],
)
def test_layouts_of_the_input(x: Array) -> None:
    """The entries count, not where they lie: each is a variable of its own."""
    kept = x.copy()

    def f(x: Array) -> Any:
        z = x.reshape(-1) if x.flags.c_contiguous else x.ravel()
        return np.sum(z**2 * np.arange(z.size)) + np.sum(x.T[0] * 3)

    def d(x: Array) -> Array:
        return 2 * x * np.arange(x.size).reshape(x.shape) + 3 * (np.arange(x.shape[1]) == 0)

    said = right_or_refused(f, {"x": x}, ("x",), d, [{"x": drawn(3, 4, seed=5)}])
    assert not said, said
    np.testing.assert_array_equal(x, kept)
