"""Formulas: the same traps without code."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from tests.traps import NOT_RIGHT, PROVED, REFUTED, RIGHT, UNPROVED, trap


def of(f, wrt="x", **definitions):
    return cr.derive({"f": f, **definitions}, of="f", wrt=wrt)


@trap(REFUTED, "√x² is |x|")
def root_of_a_square():
    return of("x**2/2"), "sqrt(x**2)"


@trap(REFUTED, "no value for negative x and y")
def root_of_a_product():
    return of("x*y*x*y/2", y="3"), "9*sqrt(x)*sqrt(x)"


@trap(PROVED, "the same on the domain of forward")
def root_of_a_product_right():
    return of("sqrt(x)*sqrt(x)*x/2"), "x"


@trap(REFUTED, "(x²)^(1/4) is √|x|")
def fourth_root():
    return of("2*x*sqrt(abs(x))/3"), "sqrt(x)"


@trap(PROVED, "cbrt of a cube is x")
def cbrt_of_a_cube():
    return of("x**2/2"), "cbrt(x**3)"


@trap(REFUTED, "a principal root of a cube is not")
def principal_root_of_a_cube():
    return of("x**2/2"), "(x**3)**(1/3)"


@trap(REFUTED, "x·y/x at x = 0")
def cancelled():
    return of("3*x"), "x*3/x"


@trap(REFUTED, "0.0447 for 0.044715")
def gelu_constant():
    return of("x + 0.044715*x**3"), "1 + 3*0.0447*x**2"


@trap(REFUTED, "log x² is 2 log |x|")
def log_of_a_square():
    return of("x*log(x**2) - 2*x"), "2*log(x)"


@trap(PROVED, "2 log |x|")
def log_of_a_square_right():
    return of("x*log(x**2) - 2*x"), "2*log(abs(x))"


@trap(REFUTED, "0 at x = 0, 1 elsewhere")
def one_point_off():
    return of("x"), "sign(x)**2"


@trap(UNPROVED, "1e-60")
def a_term_that_no_point_shows():
    return of("x**2/2"), "x*(1 + 1e-60)"


@trap(REFUTED, "a NumPy function against a formula: √x²")
def a_function_against_a_formula():
    return of("x**2/2"), (lambda x: np.sqrt(x**2))


@trap(RIGHT, "a NumPy function against a formula")
def a_function_against_a_formula_right():
    return of("x**2/2"), (lambda x: np.sqrt(x**2) * np.sign(x))


@trap(NOT_RIGHT, "a NumPy function that is right at 0.5 alone", {"x": 0.5})
def a_function_for_one_point():
    return of("x**2/2"), (lambda x: 0.5 if abs(x - 0.5) < 1e-9 else 0.0)


@trap(REFUTED, "a function with a branch that a formula has not")
def a_function_with_a_branch():
    return of("x**2/2"), (lambda x: x if x < 50 else 2 * x)


@trap(REFUTED, "0⁰: x**0 is 1, x/x has no value at 0")
def zero_to_the_zero():
    return of("x"), "x/x"


@trap(REFUTED, "arctan of a tangent")
def arctan_of_a_tangent():
    return of("x**2/2"), "atan(tan(x))"
