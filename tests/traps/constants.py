"""Constants: what a literal means, folding, readings, last bits."""

from __future__ import annotations

import math

import numpy as np

from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, STATUSES, UNPROVED, WRONG, trap

X = np.array([0.7, -1.3, 2.1])
THIRD = 1 / 3
RATE = 0.1
ROOT = np.sqrt(2 / np.pi)
TABLE = np.array([0.1, 0.2, 0.3])
SINGLE = np.float32(0.1)


@trap(RIGHT, "3*0.1 is 0.3: CPython folds it to 0.30000000000000004", {"x": X})
def folded():
    return (lambda x: 0.3 * np.sum(x**2) / 2), (lambda x: 3 * 0.1 * x)


@trap(
    UNPROVED,
    "0.30000000000000004 is no 0.3: within 4 last places of it, so no witness, and no proof",
    {"x": X},
)
def not_folded():
    return (lambda x: 0.3 * np.sum(x**2) / 2), (lambda x: 0.30000000000000004 * x)


@trap(RIGHT, "0.1 + 0.2 is 0.3", {"x": X})
def added():
    return (lambda x: 0.3 * np.sum(x**2) / 2), (lambda x: (0.1 + 0.2) * x)


@trap(REFUTED, "1/3 is not 0.333333333", {"x": X})
def a_third_in_nine_digits():
    return (lambda x: np.sum(x**2) / 6), (lambda x: 0.333333333 * x)


@trap(
    STATUSES,
    "sixteen digits may be read as 1/3, if the proof says so",
    {"x": X},
    says=("0.3333333333333333",),
)
def a_third_in_sixteen_digits():
    return (lambda x: np.sum(x**2) / 6), (lambda x: 0.3333333333333333 * x)


@trap(RIGHT, "1/3 from a module's own line", {"x": X})
def a_third_of_the_module():
    return (lambda x: np.sum(x**2) / 6), (lambda x: THIRD * x)


@trap(REFUTED, "3.14159265 is not π", {"x": X})
def pi_in_nine_digits():
    return (lambda x: np.pi * np.sum(x**2) / 2), (lambda x: 3.14159265 * x)


@trap(STATUSES, "3.141592653589793 may be read as π, if the proof says so", {"x": X}, says=("π",))
def pi_in_sixteen_digits():
    return (lambda x: np.pi * np.sum(x**2) / 2), (lambda x: 3.141592653589793 * x)


@trap(RIGHT, "np.pi and math.pi are one number", {"x": X})
def two_names_of_pi():
    return (lambda x: np.pi * np.sum(x**2) / 2), (lambda x: math.pi * x)


@trap(WRONG, "tau is 2π", {"x": X})
def tau_for_pi():
    return (lambda x: np.pi * np.sum(x**2) / 2), (lambda x: math.tau * x)


@trap(REFUTED, "GELU's constant is 0.044715, and 0.0447 looks like it", {"x": X})
def gelu_constant():
    def forward(x):
        return np.sum(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))

    def backward(x):
        c = np.sqrt(2 / np.pi)
        t = np.tanh(c * (x + 0.0447 * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.0447 * x**2)

    return forward, backward


@trap(RIGHT, "the same with the constant, √(2/π) of the module", {"x": X})
def gelu_right():
    def forward(x):
        return np.sum(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))

    def backward(x):
        t = np.tanh(ROOT * (x + 0.044715 * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * ROOT * (1 + 3 * 0.044715 * x**2)

    return forward, backward


@trap(RIGHT, "math.sqrt(2), 2**0.5 and np.sqrt(2.0) are √2", {"x": X})
def roots_of_two():
    def forward(x):
        return math.sqrt(2) * np.sum(x**2) / 2

    return forward, (lambda x: (2**0.5 + np.sqrt(2.0)) * x / 2)


@trap(REFUTED, "1.41421356 is not √2", {"x": X})
def root_of_two_in_digits():
    return (lambda x: math.sqrt(2) * np.sum(x**2) / 2), (lambda x: 1.41421356 * x)


@trap(RIGHT, "the same by its own constant", {"x": X})
def rate_of_the_module():
    return (lambda x: RATE * np.sum(x**2) / 2), (lambda x: 0.1 * x)


@trap(UNPROVED, "a float32 0.1 is 0.10000000149; it may mean 0.1, and loses digits", {"x": X})
def a_single_precision_constant():
    return (lambda x: 0.1 * np.sum(x**2) / 2), (lambda x: float(SINGLE) * x)


@trap(UNPROVED, "np.float32(0.1) * x is computed in float64 from a rounded 0.1", {"x": X})
def a_single_precision_constant_in_place():
    return (lambda x: 0.1 * np.sum(x**2) / 2), (lambda x: np.float32(0.1) * x)


@trap(
    UNPROVED,
    "a constant array that equals the input at the user's point: said to be read",
    {"x": X},
    says=("read by",),
)
def a_constant_equal_to_the_input():
    c = np.array([0.7, -1.3, 2.1])
    return (lambda x: np.sum(x**2)), (lambda x: 2 * c)


@trap(
    NOT_WRONG,
    "the very array of the point is the input, wherever it is read: bound by identity",
    {"x": X},
)
def the_array_of_the_point():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * X)


@trap(REFUTED, "1 + 1e-9", {"x": X})
def a_factor_near_one():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x * (1 + 1e-9))


@trap(UNPROVED, "1 + 1e-17 is 1 in floats, and is not 1", {"x": X})
def a_factor_that_rounds_to_one():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x * (1 + 1e-17))


@trap(UNPROVED, "1e-300 added", {"x": X})
def a_term_that_is_never_seen():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + 1e-300)


@trap(UNPROVED, "5e-324 times x²", {"x": X})
def the_smallest_float():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + 5e-324 * x**2)


@trap(RIGHT, "0.5 is 1/2, 2**-1, .5e0", {"x": X})
def halves():
    return (lambda x: 0.5 * np.sum(x**2)), (lambda x: (2**-1 + 0.25 + 0.25e0) * x)


@trap(RIGHT, "1e-1 and 0.1 are one number, and 1/10", {"x": X})
def tenths():
    return (lambda x: 1e-1 * np.sum(x**2)), (lambda x: x / 5)


@trap(REFUTED, "log(2) is not 0.6931", {"x": X})
def log_two_in_digits():
    return (lambda x: np.sum(2**x)), (lambda x: 2**x * 0.6931)


@trap(RIGHT, "log 4 / 2 is log 2", {"x": X})
def half_of_log_four():
    return (lambda x: np.sum(2.0**x)), (lambda x: 2.0**x * np.log(4) / 2)


@trap(NOT_RIGHT, "sinh(1) for (e − 1/e)/2 + 1e-12", {"x": X})
def a_transcendental_constant():
    def backward(x):
        return 2 * x * (np.sinh(1.0) - (np.e - 1 / np.e) / 2 + 1 + 1e-12)

    return (lambda x: np.sum(x**2)), backward


@trap(REFUTED, "integers beyond 2⁵³: 9007199254740993 is not 9007199254740992.0", {"x": 0.5})
def beyond_the_integers_of_floats():
    return (lambda x: 9007199254740993 * x), (lambda x: 9007199254740992)


@trap(RIGHT, "a table of constants, doubled", {"x": X})
def a_table_of_constants():
    return (lambda x: np.sum(TABLE * x**2)), (lambda x: 2 * TABLE * x)


@trap(NOT_RIGHT, "a table of 0.1, 0.2, 0.3 against literals that are off", {"x": X})
def a_table_of_constants_off():
    return (lambda x: np.sum(TABLE * x)), (lambda x: np.array([0.1, 0.2, 0.30000001]))


@trap(NOT_RIGHT, "a hand-coded derivative by differences, step 1e-6: near, and none", {"x": X})
def central_differences():
    def forward(x):
        return np.sum(np.sin(x))

    return forward, (lambda x: (np.sin(x + 1e-6) - np.sin(x - 1e-6)) / 2e-6)


@trap(NOT_RIGHT, "differences with a step below the last place", {"x": X})
def central_differences_of_a_square():
    def backward(x):
        h = 1e-5
        return ((x + h) ** 2 - x**2) / h

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_WRONG, "central differences of a square are exact as mathematics", {"x": X})
def central_differences_that_are_exact():
    def backward(x):
        h = 1e-3
        return ((x + h) ** 2 - (x - h) ** 2) / (2 * h)

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_RIGHT, "a Taylor polynomial of sine", {"x": np.array([1e-3, 2e-3])})
def a_taylor_polynomial():
    return (lambda x: np.sum(-np.cos(x))), (lambda x: x - x**3 / 6 + x**5 / 120)


@trap(
    REFUTED,
    "a long literal is a number that is written there, no cache of forward's: 1ᵏ is 1",
    {"x": np.array([1.0])},
)
def a_long_literal_at_a_lucky_point():
    return (lambda x: np.sum(x**2) / 2), (lambda x: x**2.718281828459)


@trap(
    UNPROVED,
    "1e-40·x in an exponent: the certified values are apart from bit 133 on",
    {"x": X},
    never=("agree to 320 bits",),
)
def a_difference_below_float64():
    return (lambda x: np.sum(x)), (lambda x: np.exp(1e-40 * x))
