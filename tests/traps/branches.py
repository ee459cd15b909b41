"""Branches, nested and never drawn; thresholds a little off; ties and kinks."""

from __future__ import annotations

import numpy as np

from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, STATUSES, UNPROVED, WRONG, trap

X = np.array([0.7, -1.3, 2.1])
W = np.array([0.7, -1.3, 2.45, -2.6, 4.0, 0.2, -0.4])


@trap(UNPROVED, "wrong where x[0] > 1000: a branch that is never drawn at the point", {"x": X})
def branch_never_taken():
    def backward(x):
        if x[0] > 1000:
            return 3 * x
        return 2 * x

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "wrong where x[0] < 0", {"x": X})
def branch_on_a_sign():
    def backward(x):
        if x[0] < 0:
            return 2 * np.abs(x)
        return 2 * x

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_WRONG, "both branches are right", {"x": X})
def branch_that_is_right():
    def backward(x):
        if x[0] < 0:
            return x + x
        return 2 * x

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "a branch at equality with a constant: wrong at x[0] = 5 alone", {"x": X})
def branch_on_equality():
    return (lambda x: np.sum(x**2)), (lambda x: x if x[0] == 5.0 else 2 * x)


@trap(REFUTED, "x·x at x = 1 alone", {"x": 1.0})
def branch_on_equality_at_the_point():
    return (lambda x: x**3), (lambda x: 2.0 if x == 1.0 else 3 * x * x)


@trap(
    RIGHT,
    "x > 0 and x >= 0 differ at the kink of relu, where any slope is right",
    {"x": X},
    mode="vjp",
    cotangent="g",
)
def relu_at_zero_open():
    return (lambda x: np.maximum(x, 0)), (lambda x, g: g * (x > 0))


@trap(RIGHT, "the same with >=", {"x": X}, mode="vjp", cotangent="g")
def relu_at_zero_closed():
    return (lambda x: np.maximum(x, 0)), (lambda x, g: g * (x >= 0))


@trap(
    REFUTED,
    "x > 0 is not x >= 0 where the derivative exists: at 0 it is 2x + 1",
    {"x": np.array([0.0, 1.0, -1.0])},
)
def strict_where_it_matters():
    return (lambda x: np.sum(x**2 + x)), (lambda x: np.where((x > 0) | (x < 0), 2 * x + 1, 0.0))


@trap(REFUTED, "the same with no zero in the user's point: the edge is looked for", {"x": X})
def strict_where_it_matters_not_at_the_point():
    return (lambda x: np.sum(x**2 + x)), (lambda x: (2 * x + 1) * ((x > 0) | (x < 0)))


@trap(
    REFUTED,
    "2.49 for 2.5",
    {"x": W},
    mode="vjp",
    cotangent="g",
)
def threshold_a_little_off():
    def forward(x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    return forward, (lambda x, g: 0.2 * g * ((x > -2.5) & (x < 2.49)))


@trap(REFUTED, "2 for 2.5", {"x": W}, mode="vjp", cotangent="g")
def threshold_off():
    def forward(x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    return forward, (lambda x, g: 0.2 * g * np.logical_and(x > -2.5, x < 2))


@trap(REFUTED, "1e-9 off", {"x": X})
def threshold_by_a_hair():
    return (lambda x: np.sum(np.maximum(x, 0))), (lambda x: 1.0 * (x > 1e-9))


@trap(REFUTED, "a threshold off by 0.01, through an if of a scalar", {"x": 0.7})
def threshold_off_in_an_if():
    def forward(x):
        return x * x if x < 2.5 else 5 * x - 6.25

    def backward(x):
        return 2 * x if x < 2.49 else 5.0

    return forward, backward


@trap(NOT_WRONG, "Huber by if, right on each branch", {"x": 0.7})
def huber_by_if():
    def forward(x):
        if abs(x) <= 1.0:
            return 0.5 * x * x
        return abs(x) - 0.5

    def backward(x):
        if abs(x) <= 1.0:
            return x
        return 1.0 if x > 0 else -1.0

    return forward, backward


@trap(
    RIGHT,
    "Huber by where",
    {"x": X},
)
def huber_by_where():
    def forward(x):
        a = np.abs(x)
        return np.sum(np.where(a <= 1, 0.5 * x**2, a - 0.5))

    return forward, (lambda x: np.clip(x, -1, 1))


@trap(NOT_RIGHT, "a nested branch: wrong for negative x below −3", {"x": 0.7})
def nested_branch():
    def backward(x):
        if x < 0:
            if x < -3:
                return 2 * x + 1
            return 2 * x
        return 2 * x

    return (lambda x: x * x), backward


@trap(REFUTED, "a loop that breaks at the first negative entry", {"x": X})
def loop_with_break():
    def backward(x):
        g = np.zeros_like(x)
        for i in range(len(x)):
            if x[i] < -1.5:
                break
            g[i] = 2 * x[i]
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "an exception as a branch", {"x": 4.0})
def exception_as_a_branch():
    def backward(x):
        try:
            if x < 0:
                raise ValueError
            return 2 * x
        except ValueError:
            return x

    return (lambda x: x * x), backward


@trap(REFUTED, "an early return for large norms", {"x": X})
def clipped_gradient():
    def backward(x):
        g = 2 * x
        n = np.sqrt(np.sum(g**2))
        if n > 10:
            return g * 10 / n
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "gradient clipping with np.clip: right at the user's point only", {"x": X})
def clipped_entries():
    return (lambda x: np.sum(x**2)), (lambda x: np.clip(2 * x, -5, 5))


@trap(UNPROVED, "clipping far away", {"x": X})
def clipped_entries_far_away():
    return (lambda x: np.sum(x**2)), (lambda x: np.clip(2 * x, -1e6, 1e6))


@trap(NOT_RIGHT, "np.piecewise with a cell that is wrong", {"x": X})
def piecewise_wrong():
    def backward(x):
        return np.piecewise(x, [x < -1, x >= -1], [lambda t: 2 * t + 1, lambda t: 2 * t])

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "np.select with the order of conditions swapped", {"x": X})
def select_order():
    def backward(x):
        return np.select([x < 2, x < 0], [np.ones_like(x), -np.ones_like(x)], 1.0)

    return (lambda x: np.sum(np.abs(x))), backward


@trap(RIGHT, "np.select right", {"x": X})
def select_right():
    def backward(x):
        return np.select([x < 0, x > 0], [-np.ones_like(x), np.ones_like(x)], 0.0)

    return (lambda x: np.sum(np.abs(x))), backward


@trap(
    STATUSES,
    "wrong for the label 1: a proof must say that y is 0",
    {"x": X, "y": 0},
    wrt="x",
    says=("y = 0",),
)
def branch_on_a_label():
    def backward(x, y):
        return 2 * x if y == 0 else 3 * x

    def forward(x, y):
        return np.sum(x**2) + y

    return forward, backward


@trap(UNPROVED, "a branch on the dtype: no proof for float32 too", {"x": X})
def branch_on_a_dtype():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x if x.dtype == np.float32 else 3 * x)


@trap(UNPROVED, "a branch on all entries: np.all(x < 50)", {"x": X})
def branch_on_all():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x if np.all(x < 50) else x)


@trap(REFUTED, "a branch on any entry: np.any(x < -2)", {"x": X})
def branch_on_any():
    return (lambda x: np.sum(x**2)), (lambda x: x if np.any(x < -2) else 2 * x)


@trap(UNPROVED, "a branch on x being finite", {"x": X})
def branch_on_a_sum_of_bits():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x if np.isfinite(x).all() else x * 0)


@trap(UNPROVED, "a gradient that knows the user's point and is 0 elsewhere", {"x": X})
def a_gradient_for_one_point():
    def backward(x):
        return np.array([1.4, -2.6, 4.2]) if np.allclose(x, [0.7, -1.3, 2.1]) else 0 * x

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "a bump between 3 and 3.001 through where", {"x": X})
def a_bump():
    return (lambda x: np.sum(x**2)), (lambda x: np.where((x > 3) & (x < 3.001), 0.0, 2 * x))


@trap(UNPROVED, "wrong from 1e6 on, through where", {"x": X})
def a_far_cell():
    return (lambda x: np.sum(x**2)), (lambda x: np.where(x < 1e6, 2 * x, 0.0))


# -- ties ------------------------------------------------------------------------------------------


@trap(
    REFUTED,
    "(1, 1) is no subgradient of max at a tie; a tie is a point like others",
    {"x": np.array([1.0, 1.0])},
)
def max_at_a_tie():
    return (lambda x: np.max(x)), (lambda x: 1.0 * (x == np.max(x)))


@trap(RIGHT, "the first maximum takes it all: a vertex of the hull", {"x": np.array([1.0, 1.0])})
def first_maximum_at_a_tie():
    def backward(x):
        g = np.zeros_like(x)
        g[np.argmax(x)] = 1
        return g

    return (lambda x: np.max(x)), backward


@trap(RIGHT, "shared equally among the maxima: inside the hull", {"x": np.array([1.0, 1.0])})
def maximum_shared():
    def backward(x):
        m = x == np.max(x)
        return m / np.sum(m)

    return (lambda x: np.max(x)), backward


@trap(REFUTED, "argmin for argmax", {"x": X})
def argmin_for_argmax():
    def backward(x):
        g = np.zeros_like(x)
        g[np.argmin(x)] = 1
        return g

    return (lambda x: np.max(x)), backward


@trap(RIGHT, "sorted and weighted: the permutation's inverse", {"x": X}, mode="vjp", cotangent="g")
def sort_right():
    def backward(x, g):
        out = np.empty_like(x)
        out[np.argsort(x)] = g
        return out

    return (lambda x: np.sort(x)), backward


@trap(
    REFUTED,
    "argsort is not its own inverse; for three entries often it is",
    {"x": np.array([0.3, 0.1, 0.2, 0.4])},
    mode="vjp",
    cotangent="g",
)
def sort_with_the_permutation():
    return (lambda x: np.sort(x)), (lambda x, g: g[np.argsort(x)])


@trap(
    REFUTED,
    "the same where the user's permutation is its own inverse",
    {"x": np.array([0.2, 0.1, 0.3])},
    mode="vjp",
    cotangent="g",
)
def sort_with_an_involution():
    return (lambda x: np.sort(x)), (lambda x, g: g[np.argsort(x)])


@trap(RIGHT, "argsort of argsort", {"x": np.array([0.3, 0.1, 0.2, 0.4])}, mode="vjp", cotangent="g")
def sort_with_the_inverse():
    return (lambda x: np.sort(x)), (lambda x, g: g[np.argsort(np.argsort(x))])


@trap(NOT_RIGHT, "the median of four is a mean of two", {"x": np.array([0.3, 0.1, 0.2, 0.4])})
def median_of_four():
    def backward(x):
        g = np.zeros_like(x)
        g[np.argsort(x)[len(x) // 2]] = 1.0
        return g

    return (lambda x: np.median(x)), backward


@trap(UNPROVED, "the median's place is right for odd sizes only, as here", {"x": X})
def median_of_three():
    def backward(x):
        g = np.zeros_like(x)
        g[np.argsort(x)[len(x) // 2]] = 1.0
        return g

    return (lambda x: np.median(x)), backward


@trap(
    RIGHT,
    "at the bound of a clip any slope between is right",
    {"x": np.array([1.0, 0.0, 0.5])},
    mode="vjp",
    cotangent="g",
)
def clip_at_the_bound():
    return (lambda x: np.clip(x, 0, 1)), (lambda x, g: g * (x >= 0) * (x <= 1))


@trap(REFUTED, "|x| at 0: 2 is no slope", {"x": np.array([0.0, 1.0])})
def beyond_the_slopes():
    return (lambda x: np.sum(np.abs(x))), (lambda x: np.where(x == 0, 2.0, np.sign(x)))


@trap(REFUTED, "max(x, x): the two halves of one tie", {"x": X})
def maximum_with_itself():
    return (lambda x: np.sum(np.maximum(x, x))), (lambda x: 2.0 * np.ones_like(x))


@trap(RIGHT, "max(x, x) = x, smooth", {"x": X})
def maximum_with_itself_right():
    return (lambda x: np.sum(np.maximum(x, x))), (lambda x: np.ones_like(x))


@trap(RIGHT, "relu(x) − relu(−x) is x, smooth at 0", {"x": np.array([0.0, 1.0, -1.0])})
def two_kinks_that_cancel():
    def forward(x):
        return np.sum(np.maximum(x, 0) - np.maximum(-x, 0))

    return forward, (lambda x: np.ones_like(x))


@trap(NOT_RIGHT, "the same, and autodiff's 0 at 0 is wrong", {"x": np.array([0.0, 1.0, -1.0])})
def two_kinks_that_cancel_wrong():
    def forward(x):
        return np.sum(np.maximum(x, 0) - np.maximum(-x, 0))

    return forward, (lambda x: 1.0 * (x > 0) + 1.0 * (x < 0))


@trap(REFUTED, "x·[x > 0] + x·[x ≤ 0] is x; [x > 0] + [x < 0] is 0 at 0", {"x": X})
def a_partition_that_leaves_zero_out():
    return (lambda x: np.sum(x)), (lambda x: 1.0 * (x > 0) + 1.0 * (x < 0))


@trap(RIGHT, "[x > 0] + [x ≤ 0] is 1", {"x": X})
def a_partition():
    return (lambda x: np.sum(x)), (lambda x: 1.0 * (x > 0) + 1.0 * (x <= 0))


@trap(UNPROVED, "sign(x)² is 1 but at 0", {"x": X})
def sign_squared():
    return (lambda x: np.sum(x)), (lambda x: np.sign(x) ** 2)


@trap(
    UNPROVED,
    "a product of ten steps is 0 but in one orthant in 1024",
    {"x": np.linspace(-1, 1, 10)},
)
def ten_steps():
    def backward(x):
        bump = 1.0
        for i in range(10):
            bump = bump * (x[i] > 0)
        return 2 * x + bump

    return (lambda x: np.sum(x**2)), backward


@trap(
    WRONG,
    "H(x) for H(y): one random bit a step would prove it",
    {"x": 0.7, "y": 0.4},
    wrt="x",
)
def steps_of_two_variables():
    def forward(x, y):
        return np.maximum(x, 0) + 0 * y

    return forward, (lambda x, y: np.where(y > 0, 1.0, 0.0))


@trap(
    NOT_RIGHT,
    "(1, −1) is none of the Jacobians (1, 0), (0, −1) beside, nor between them: jointly",
    {"x": np.array([0.0])},
    mode="jacobian",
    bug="the hull at a kink is taken row by row: proved",
)
def jacobian_beyond_the_hull():
    def forward(x):
        return np.array([np.maximum(x[0], 0), np.maximum(-x[0], 0)])

    def backward(x):
        return np.array([[1.0 * (x[0] >= 0)], [-1.0 * (x[0] <= 0)]])

    return forward, backward


@trap(RIGHT, "(0, −1) is the Jacobian on the left", {"x": np.array([0.0])}, mode="jacobian")
def jacobian_of_one_side():
    def forward(x):
        return np.array([np.maximum(x[0], 0), np.maximum(-x[0], 0)])

    def backward(x):
        return np.array([[1.0 * (x[0] > 0)], [-1.0 * (x[0] <= 0)]])

    return forward, backward


@trap(UNPROVED, "kinks that cancel jointly: f is x, and the claim is 0 at 0", {"x": X})
def a_kink_less_itself():
    def forward(x):
        return np.sum(np.maximum(x, 0) - np.maximum(x, 0) * 1.0 + x)

    return forward, (lambda x: 1.0 * (x > 0) + 1.0 * (x < 0))


@trap(NOT_RIGHT, "3x where exp(x) > 1e5", {"x": X})
def a_cell_behind_an_exponential():
    return (lambda x: np.sum(x**2)), (lambda x: np.where(np.exp(x) > 1e5, 3 * x, 2 * x))


@trap(UNPROVED, "a well of a quartic, 0.03 wide", {"x": X})
def a_cell_behind_a_quartic():
    return (lambda x: np.sum(x**2)), (
        lambda x: np.where(x**4 - 5 * x**2 + 4 < -2.249, 3 * x, 2 * x)
    )


@trap(NOT_RIGHT, "equal entries: fewer keys than entries", {"x": X})
def a_branch_on_duplicates():
    def backward(x):
        return 2 * x if len(set(x.tolist())) == len(x) else 3 * x

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "a while loop that halves and doubles again", {"x": 3.7})
def a_while_loop():
    def backward(x):
        k = 0
        while x > 1:
            x, k = x / 2, k + 1
        return 2 * x * 2**k

    return (lambda x: x * x), backward


@trap(NOT_RIGHT, "the same, doubled three times at most", {"x": 3.7})
def a_while_loop_capped():
    def backward(x):
        k = 0
        while x > 1:
            x, k = x / 2, k + 1
        return 2 * x * 2 ** min(k, 3)

    return (lambda x: x * x), backward


@trap(UNPROVED, "wrong on a disk of radius 1e-3", {"x": X})
def a_tiny_disk():
    def backward(x):
        return 2 * x if x[0] ** 2 + x[1] ** 2 > 1e-6 else 3 * x + 1

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "wrong on the plane x₀ + x₁ = 1", {"x": X})
def a_plane():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x if x[0] + x[1] != 1 else 3 * x)


@trap(UNPROVED, "all three above 10", {"x": X})
def three_conditions():
    def backward(x):
        return 2 * x if not (x[0] > 10 and x[1] > 10 and x[2] > 10) else 3 * x

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "a tent of width 1e-8 at a product", {"x": X})
def a_tent():
    def backward(x):
        return 2 * x + np.maximum(1e-8 - np.abs(x[0] * x[1] - 5.5), 0)

    return (lambda x: np.sum(x**2)), backward


@trap(RIGHT, "sorted and put back", {"x": X})
def sorted_and_put_back():
    return (lambda x: np.sum(x**2)), (lambda x: np.sort(2 * x)[np.argsort(np.argsort(x))])


@trap(RIGHT, "a clip by one's own range does nothing", {"x": X})
def clipped_by_its_own_range():
    return (lambda x: np.sum(x**2)), (lambda x: np.clip(2 * x, np.min(2 * x), np.max(2 * x)))


@trap(RIGHT, "softplus, written so that it does not overflow: two cells", {"x": X})
def stable_softplus():
    def forward(x):
        return np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))

    def backward(x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))

    return forward, backward


@trap(RIGHT, "log σ, written so that it does not overflow", {"x": X})
def stable_log_sigmoid():
    def forward(x):
        return np.sum(np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))))

    return forward, (lambda x: 1 / (1 + np.exp(x)))


@trap(REFUTED, "the sigmoid's sign in one of two cells", {"x": X})
def stable_softplus_wrong():
    def forward(x):
        return np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))

    def backward(x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), 1 - e / (1 + e))

    return forward, backward


@trap(
    REFUTED, "all-ones inputs hide it: products are 1", {"x": np.ones(3), "w": np.ones(3)}, wrt="x"
)
def ones_hide():
    return (lambda x, w: np.sum(x**2 * w)), (lambda x, w: 2 * x * w**2)


@trap(REFUTED, "zeros hide it", {"x": np.zeros(3)})
def zeros_hide():
    return (lambda x: np.sum(x**2)), (lambda x: x**3)
