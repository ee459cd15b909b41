"""Views, writes, aliases, results that share memory, state that survives a call."""

from __future__ import annotations

import functools

import numpy as np

from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, UNPROVED, trap

X = np.array([0.7, -1.3, 2.1])
X4 = np.array([0.7, -1.3, 2.1, 0.4])
M = np.arange(6.0).reshape(2, 3) / 7 + 0.3


@trap(REFUTED, "a write through a view changes what the view is of", {"x": X})
def write_through_a_view():
    def backward(x):
        g = 2 * x
        h = g[1:]
        h *= 3
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "the same write where forward weighs so", {"x": X})
def write_through_a_view_right():
    def forward(x):
        return np.sum(x**2) + 2 * np.sum(x[1:] ** 2)

    def backward(x):
        g = 2 * x
        h = g[1:]
        h *= 3
        return g

    return forward, backward


@trap(REFUTED, "fancy indexing gives a copy: the write is lost", {"x": X4})
def write_to_a_copy():
    def forward(x):
        return np.sum(x**2) + 2 * np.sum(x[[0, 1]] ** 2)

    def backward(x):
        g = 2 * x
        h = g[[0, 1]]
        h *= 3
        return g

    return forward, backward


@trap(REFUTED, "ravel is a view, flatten a copy", {"x": M})
def flatten_is_a_copy():
    def backward(x):
        g = np.zeros_like(x)
        g.flatten()[:] = 2 * x.ravel()
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "ravel is a view", {"x": M})
def ravel_is_a_view():
    def backward(x):
        g = np.zeros_like(x)
        g.ravel()[:] = 2 * x.ravel()
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "ravel of a transposition is a copy", {"x": M})
def ravel_of_a_transposition():
    def backward(x):
        g = np.zeros_like(x)
        g.T.ravel()[:] = 2 * x.T.ravel()
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "a transposition is a view", {"x": M})
def write_through_a_transposition():
    def backward(x):
        g = np.zeros_like(x)
        t = g.T
        t += 2 * x.T
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(
    NOT_RIGHT,
    "in place on a transposed square view of itself",
    {"x": np.array([[1.0, 2.0], [3.0, 4.0]])},
)
def transposed_in_place():
    def backward(x):
        g = x.copy()
        g += g.T
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "xᵀ + x is the gradient of tr(xx)", {"x": np.array([[1.0, 2.0], [3.0, 4.0]])})
def transposed_in_place_right():
    def backward(x):
        g = x.copy()
        g += g.T
        return g

    return (lambda x: np.sum(x * x.T) / 2 + np.sum(x**2) / 2), backward


@trap(
    REFUTED,
    "overlapping slices: NumPy reads all before it writes, so this is no cumulative sum",
    {"x": X4},
)
def overlapping_slices_wrong():
    def forward(x):
        return np.sum(np.cumsum(x) ** 2) / 2

    def backward(x):
        g = np.cumsum(x)[::-1].copy()
        g[1:] += g[:-1]
        return g[::-1]

    return forward, backward


@trap(RIGHT, "overlapping slices, right", {"x": X4})
def overlapping_slices_right():
    def forward(x):
        return np.sum((x[1:] - x[:-1]) ** 2) / 2

    def backward(x):
        d = x[1:] - x[:-1]
        g = np.zeros_like(x)
        g[1:] += d
        g[:-1] -= d
        return g

    return forward, backward


@trap(RIGHT, "a view is returned", {"x": M})
def a_view_returned():
    def backward(x):
        big = np.zeros((x.shape[0] + 2, x.shape[1]))
        big[1:-1] = 2 * x
        return big[1:-1]

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "as_strided looks at the memory itself", {"x": X4})
def strided_by_hand():
    def backward(x):
        g = np.lib.stride_tricks.as_strided(2 * x, shape=x.shape, strides=(0,))
        return g.copy()

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_WRONG, "as_strided, right", {"x": X4})
def strided_by_hand_right():
    def forward(x):
        w = np.lib.stride_tricks.as_strided(x, shape=(3, 2), strides=(8, 8))
        return np.sum(w**2) / 2

    return forward, (lambda x: x * np.array([1.0, 2.0, 2.0, 1.0]))


@trap(
    REFUTED,
    "the cotangent is scaled in place, and returned for both",
    {"x": X, "w": X + 1},
    wrt=("x", "w"),
    mode="vjp",
    cotangent="g",
)
def in_place_on_the_cotangent():
    def backward(x, w, g):
        gx = g
        gx *= w
        gw = g * x
        return gx, gw

    return (lambda x, w: x * w), backward


@trap(
    NOT_WRONG,
    "the result is the cotangent itself: right, aliased",
    {"x": X, "b": X},
    wrt=("x", "b"),
    mode="vjp",
    cotangent="g",
)
def result_aliases_the_cotangent():
    return (lambda x, b: x + b), (lambda x, b, g: (g, g))


@trap(
    NOT_RIGHT,
    "one array for two results, written between",
    {"x": X, "w": X + 1},
    wrt=("x", "w"),
    mode="vjp",
    cotangent="g",
)
def two_results_one_array():
    def backward(x, w, g):
        out = np.empty_like(g)
        out[:] = g * w
        gx = out
        out[:] = g * x
        return gx, out

    return (lambda x, w: x * w), backward


@trap(NOT_RIGHT, "an input is changed in place before it is used", {"x": X})
def input_changed():
    def backward(x):
        x *= 2
        return x * 2

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "right, but it leaves the input changed", {"x": X})
def input_left_changed():
    def backward(x):
        x *= 2
        return x.copy()

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "gradients add up over calls", {"x": X})
def accumulated_over_calls():
    total = np.zeros(3)

    def backward(x):
        nonlocal total
        total = total + 2 * x
        return total

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "a buffer of the module that is not cleared", {"x": X})
def buffer_not_cleared():
    buffer = np.zeros(3)

    def backward(x):
        buffer[:] += 2 * x
        return buffer

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "a default argument that is written to", {"x": X})
def default_that_is_written_to():
    def backward(x, seen=[]):
        seen.append(1)
        return 2 * x * len(seen)

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "right in the first call, wrong from the tenth on", {"x": X})
def wrong_from_the_third_call_on():
    calls = [0]

    def backward(x):
        calls[0] += 1
        return 2 * x if calls[0] < 3 else 3 * x

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "a memo keyed by id: another array at the same address", {"x": X})
def memo_by_id():
    memo: dict[int, np.ndarray] = {}

    def backward(x):
        if id(x) not in memo:
            memo[id(x)] = 2 * x
        return memo[id(x)]

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "a memo with one key", {"x": X})
def memo_with_one_key():
    memo: dict[str, np.ndarray] = {}

    def backward(x):
        if "g" not in memo:
            memo["g"] = 2 * x
        return memo["g"]

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "a memo keyed by a sum: two points with one sum", {"x": X})
def memo_by_sum():
    memo: dict[float, np.ndarray] = {}

    def backward(x):
        key = round(float(np.sum(x)))
        if key not in memo:
            memo[key] = 2 * x
        return memo[key]

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_WRONG, "lru_cache over a scalar is right", {"x": 0.7})
def cached_scalar():
    @functools.lru_cache(maxsize=None)
    def slope(t):
        return 2 * t

    return (lambda x: x * x), (lambda x: slope(x))


@trap(
    NOT_RIGHT, "the forward pass leaves what the backward needs; another point is in it", {"x": X}
)
def stale_cache():
    cache = {"x": np.array([1.0, 1.0, 1.0])}

    def forward(x):
        return np.sum(x**2)

    return forward, (lambda x: 2 * cache["x"])


@trap(NOT_RIGHT, "random in the backward pass", {"x": X})
def random_backward():
    def backward(x):
        return 2 * x * (1 + 1e-9 * np.random.rand())

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "random rarely: one call in two", {"x": X})
def random_generator_of_its_own():
    rng = np.random.default_rng(0)

    def backward(x):
        return 2 * x if rng.random() < 0.5 else 2 * x

    def wrong(x):
        return 2 * x + (rng.random() < 0.3)

    assert backward is not wrong
    return (lambda x: np.sum(x**2)), wrong


@trap(
    REFUTED,
    "the output of the forward pass overwritten by its derivative: s·(1 − s) of the new s",
    {"z": X},
    mode="vjp",
    cotangent="g",
)
def sigmoid_overwritten():
    def forward(z):
        return 1 / (1 + np.exp(-z))

    def backward(z, g):
        s = 1 / (1 + np.exp(-z))
        s *= g
        s *= 1 - s
        return s

    return forward, backward


@trap(RIGHT, "out= into a buffer that is read later", {"x": X})
def out_argument():
    def backward(x):
        buf = np.empty_like(x)
        np.multiply(x, 2, out=buf)
        return buf

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "out= into an operand that is still needed", {"x": X})
def out_into_an_operand():
    def backward(x):
        a = np.sin(x)
        b = np.cos(x)
        np.multiply(a, b, out=a)
        return a + b * a

    return (lambda x: np.sum(np.sin(x) ** 2) / 2), backward


@trap(REFUTED, "where= leaves what was there", {"x": X})
def ufunc_where():
    def backward(x):
        buf = np.ones_like(x)
        np.multiply(x, 2, out=buf, where=x > 0)
        return buf

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "np.empty: whatever was there", {"x": X})
def empty_that_is_not_filled():
    def backward(x):
        g = np.empty(len(x) + 1)
        g[1:] = 2 * x
        return g[:-1]

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "swapped by a tuple: both sides are read first", {"x": np.array([0.5, 1.5])})
def swapped_by_a_tuple():
    def forward(x):
        return x[0] * x[1] ** 2

    def backward(x):
        a, b = x[0], x[1]
        a, b = b * b, 2 * a * b
        return np.array([a, b])

    return forward, backward


@trap(REFUTED, "rows swapped by views: both end as one", {"x": M})
def rows_swapped_through_views():
    def forward(x):
        return np.sum(x[::-1] * np.arange(1.0, len(x) + 1)[:, None])

    def backward(x):
        g = np.arange(1.0, len(x) + 1)[:, None] * np.ones_like(x)
        g[0], g[-1] = g[-1], g[0]
        return g

    return forward, backward


@trap(REFUTED, "a list of one row thrice", {"x": M})
def one_row_thrice():
    def backward(x):
        rows = [np.zeros(x.shape[1])] * len(x)
        for i in range(len(x)):
            rows[i] += 2 * x[i]
        return np.array(rows)

    return (lambda x: np.sum(x**2)), backward


class Slope:
    """An object that counts its calls, and changes its mind at the fourth."""

    def __init__(self) -> None:
        self.calls = 0

    def backward(self, x):
        self.calls += 1
        return 2 * x if self.calls < 4 else 3 * x


@trap(NOT_RIGHT, "a counter in an attribute, as in self.calls += 1", {"x": X})
def counter_in_an_attribute():
    return (lambda x: np.sum(x**2)), Slope().backward


@trap(NOT_RIGHT, "a counter in a list in a dict in an attribute", {"x": X})
def counter_deep_in_an_attribute():
    class Holder:
        pass

    holder = Holder()
    holder.state = {"n": [0]}

    def backward(x):
        holder.state["n"][0] += 1
        return 2 * x if holder.state["n"][0] < 4 else 3 * x

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "a counter in a global list of forward's", {"x": X})
def counter_in_forward():
    n = [0]

    def forward(x):
        n[0] += 1
        return np.sum(x**2) * (1 if n[0] < 4 else 1.5)

    return forward, (lambda x: 2 * x)


@trap(NOT_RIGHT, "a generator that gives 2 four times, then 3", {"x": X})
def a_generator_with_state():
    def factors():
        yield from [2.0] * 4
        while True:
            yield 3.0

    factor = factors()
    return (lambda x: np.sum(x**2)), (lambda x: next(factor) * x)


@trap(NOT_RIGHT, "a write through memoryview", {"x": X})
def write_through_a_memoryview():
    def backward(x):
        y = 2 * x
        memoryview(y)[0] = 7.0
        return y

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "a write to the bits", {"x": X})
def write_to_the_bits():
    def backward(x):
        y = 2 * x
        y.view(np.uint64)[0] ^= np.uint64(1 << 40)
        return y

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "np.put, flat and fill write too", {"x": np.array([4.5, 1.0])})
def writes_of_other_kinds():
    def backward(x):
        y = 2 * x
        y.flat[0] = 9.0
        np.put(y, [1], 2.0)
        return y

    return (lambda x: np.sum(x**2)), backward


@trap(
    NOT_RIGHT,
    "two arguments are views of one array: of x·y the gradient is y, which is x here",
    {"x": X[:2], "y": X[:2]},
    wrt="x",
)
def arguments_that_share_memory():
    return (lambda x, y: np.sum(x * y)), (lambda x, y: x)
