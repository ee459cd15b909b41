"""Kinds of numbers: integers that wrap, floor division, float32, overflow, empty and 0-d arrays."""

from __future__ import annotations

import numpy as np

from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, UNPROVED, WRONG, trap

X = np.array([0.7, -1.3, 2.1])


@trap(
    UNPROVED,
    "np.int8 wraps: 100 + 100 is −56",
    {"x": X, "k": np.array([100, 2, 3], np.int8)},
    wrt="x",
)
def int8_wraps():
    return (lambda x, k: np.sum(x * (k + k))), (lambda x, k: 2.0 * k)


@trap(
    UNPROVED,
    "an integer power wraps: 10¹⁰ squared",
    {"x": X, "k": np.array([10**10, 2, 3])},
    wrt="x",
    bug="int64 that wraps is not seen by the audit, as int8 is",
)
def int64_wraps():
    return (lambda x, k: np.sum(x * k**2)), (lambda x, k: 1.0 * k * k.astype(float))


@trap(
    REFUTED,
    "true and floor division differ for odd numbers",
    {"x": X, "k": np.array([2, 4, 6])},
    wrt="x",
)
def floor_division():
    return (lambda x, k: np.sum(x * k / 2)), (lambda x, k: 1.0 * (k // 2))


@trap(REFUTED, "floor division of the result", {"x": np.array([1.0, 2.0])})
def floor_of_a_float():
    return (lambda x: np.sum(x**2) / 2), (lambda x: x // 1)


@trap(REFUTED, "% 10 for large x", {"x": X})
def remainder():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.sign(x) * (np.abs(x) % 10))


@trap(REFUTED, "a conversion to integers", {"x": np.array([1.0, 2.0])})
def astype_int():
    return (lambda x: np.sum(x**2) / 2), (lambda x: x.astype(int).astype(float))


@trap(WRONG, "zeros_like of integers truncates", {"x": X, "k": np.array([1, 2, 3])}, wrt="x")
def integer_buffer():
    def backward(x, k):
        g = np.zeros_like(k)
        g[:] = 2 * x
        return g

    return (lambda x, k: np.sum(x**2)), backward


@trap(RIGHT, "whole numbers as floats", {"x": np.array([1.0, 2.0, 3.0])})
def integer_input():
    return (lambda x: np.sum(x**2.0)), (lambda x: 2 * x)


@trap(REFUTED, "True + True is 2, np.True_ + np.True_ is True", {"x": X})
def bool_arithmetic():
    def backward(x):
        m = x > 0
        return (m + m) * 1.0

    return (lambda x: 2 * np.sum(np.maximum(x, 0))), backward


@trap(RIGHT, "with floats the sum of masks is 2", {"x": X})
def float_masks():
    def backward(x):
        m = (x > 0) * 1.0
        return m + m

    return (lambda x: 2 * np.sum(np.maximum(x, 0))), backward


@trap(
    REFUTED,
    "minus of unsigned: 0 − 1 is 255",
    {"x": X, "k": np.array([3, 2, 1], np.uint8)},
    wrt="x",
)
def unsigned():
    return (lambda x, k: np.sum(x * (k.astype(float) - 2))), (lambda x, k: 1.0 * (k - np.uint8(2)))


@trap(UNPROVED, "a detour through float32", {"x": X})
def through_float32():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x.astype(np.float32).astype(float))


@trap(UNPROVED, "a buffer of float32", {"x": X})
def float32_buffer():
    def backward(x):
        g = np.zeros(len(x), dtype=np.float32)
        g[:] = 2 * x
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "float16: 1e-3 of the last digits", {"x": X})
def through_float16():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * np.float16(x))


@trap(NOT_WRONG, "float32 inputs", {"x": X.astype(np.float32)})
def float32_input():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x)


@trap(REFUTED, "float32 inputs, wrong by 1e-3", {"x": X.astype(np.float32)})
def float32_input_wrong():
    return (lambda x: np.sum(x**2)), (lambda x: 2.002 * x)


@trap(NOT_WRONG, "the formula is right, exp overflows", {"x": np.array([800.0, 1.0])})
def overflow_at_the_point():
    def forward(x):
        return np.sum(np.log(1 + np.exp(x)))

    return forward, (lambda x: np.exp(x) / (1 + np.exp(x)))


@trap(REFUTED, "where everything underflows to 0 they are equal", {"x": np.array([-900.0, -800.0])})
def underflow_hides():
    return (lambda x: np.sum(np.exp(x))), (lambda x: 2 * np.exp(x))


@trap(REFUTED, "where both overflow to inf they are equal", {"x": np.array([900.0, 800.0])})
def overflow_hides():
    return (lambda x: np.sum(np.exp(x))), (lambda x: 2 * np.exp(x))


@trap(REFUTED, "both are nan at the user's point", {"x": np.array([-1.0, 2.0])})
def nan_hides():
    return (lambda x: np.sum(np.log(x))), (lambda x: 1 / x + np.log(x))


@trap(REFUTED, "saturated: tanh is 1 in floats", {"x": np.array([400.0, 300.0])})
def saturation_hides():
    return (lambda x: np.sum(np.tanh(x))), (lambda x: 1 - np.tanh(x) ** 3)


@trap(REFUTED, "a term of 1e-200", {"x": X * 1e-200})
def tiny_magnitudes():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + x**2)


@trap(REFUTED, "1e200: x + 1 is x in floats", {"x": X * 1e200})
def huge_magnitudes():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * (x + 1))


@trap(REFUTED, "(x + 1e20) − 1e20 is 0 in floats, x as mathematics", {"x": X})
def absorbed():
    return (lambda x: np.sum(x)), (lambda x: np.ones_like(x) + (x + 1e20) - 1e20)


@trap(RIGHT, "as mathematics it is right; the code is another question", {"x": X})
def absorbed_right():
    return (lambda x: np.sum(x**2) / 2), (lambda x: (x + 1e20) - 1e20)


@trap(NOT_WRONG, "an empty array: the gradient is empty", {"x": np.zeros(0)})
def empty():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x)


@trap(NOT_RIGHT, "an empty array: nothing was compared, so nothing is right", {"x": np.zeros(0)})
def empty_wrong():
    return (lambda x: np.sum(x**2)), (lambda x: 3 * x)


@trap(NOT_RIGHT, "an axis of zero entries hides it", {"x": np.zeros((2, 0))})
def empty_axis_wrong():
    return (lambda x: np.sum(x**2)), (lambda x: 3 * x)


@trap(RIGHT, "a 0-d array", {"x": np.array(0.7)})
def zero_dimensional():
    return (lambda x: x**2), (lambda x: 2 * x)


@trap(WRONG, "a 0-d array where one entry is due", {"x": np.array([0.7])})
def shape_of_one_entry():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x[0])


@trap(NOT_RIGHT, "a matrix (1, 3) for (3,)", {"x": X})
def row_for_a_vector():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x[None])


@trap(NOT_RIGHT, "None", {"x": X})
def nothing():
    return (lambda x: np.sum(x**2)), (lambda x: None)


@trap(NOT_RIGHT, "a scalar that broadcasts", {"x": np.ones(3)})
def a_scalar_for_an_array():
    return (lambda x: np.sum(x**2)), (lambda x: 2.0)


@trap(NOT_RIGHT, "an array of objects", {"x": X})
def objects():
    return (lambda x: np.sum(x**2)), (lambda x: np.array([2 * t for t in x], dtype=object) * 1.5)


@trap(NOT_RIGHT, "nan in the result", {"x": X})
def nan_in_the_result():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + np.nan)


@trap(NOT_RIGHT, "nan_to_num hides a 0/0", {"x": np.array([0.0, 1.0])})
def nan_to_num():
    def backward(x):
        with np.errstate(all="ignore"):
            return np.nan_to_num(x**2 / x) + 1.0

    return (lambda x: np.sum(x**2)), backward


@trap(
    RIGHT,
    "1e-320 means itself, and the product of the constants is 1; the code loses digits",
    {"x": X},
)
def denormals():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x * 1e-320 * 1e308 * 1e12)


@trap(UNPROVED, "np.spacing and np.finfo look at the float itself", {"x": X})
def spacing():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + np.spacing(x))


@trap(UNPROVED, "np.nextafter", {"x": X})
def nextafter():
    return (lambda x: np.sum(x**2)), (lambda x: np.nextafter(2 * x, np.inf))


@trap(UNPROVED, "np.round to 12 digits", {"x": X})
def rounded():
    return (lambda x: np.sum(x**2)), (lambda x: np.round(2 * x, 12))


@trap(REFUTED, "np.isclose as a mask", {"x": X})
def isclose():
    return (lambda x: np.sum(x**2)), (lambda x: np.where(np.isclose(x, 0), 1.0, 2 * x))


@trap(UNPROVED, "the bits of a float", {"x": X})
def bits():
    def backward(x):
        return ((2 * x).view(np.int64) & ~np.int64(7)).view(np.float64)

    return (lambda x: np.sum(x**2)), backward


@trap(UNPROVED, "frexp and ldexp", {"x": X})
def frexp():
    def backward(x):
        m, e = np.frexp(x)
        return np.ldexp(m, e + 1) + 1e-13

    return (lambda x: np.sum(x**2)), backward


@trap(
    NOT_RIGHT,
    "an absurd exponent: no proof, nor the end of the process",
    {"x": np.array([1.0])},
)
def an_absurd_exponent():
    return (lambda x: np.sum(x**2) / 2), (lambda x: x**1000000007)


@trap(NOT_RIGHT, "an absurd exponent, a float", {"x": np.array([1.0])})
def an_absurd_float_exponent():
    return (lambda x: np.sum(x**2) / 2), (lambda x: x**7.25e18)
