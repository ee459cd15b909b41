"""The laws of `chainrule.text`: what is read, what it means, what is refused, and how fast."""

from __future__ import annotations

import math
import random
import time

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ShapeError, TextError, UsageError
from chainrule.text import FUNCTIONS, MAX_LENGTH, Built, build, read, read_definition

x, y, t = sp.symbols("x y t", real=True)
W = sp.ImmutableDenseMatrix(2, 3, sp.symbols("w:6", real=True))
A = sp.ImmutableDenseMatrix(2, 2, sp.symbols("a:4", real=True))
v = sp.ImmutableDenseMatrix(3, 1, sp.symbols("v:3", real=True))
SCOPE = {"x": x, "y": y, "t": t, "W": W, "A": A, "v": v}
SECONDS = 4.0  # of processor time: twice what is promised, for slow machines


def of(text: str, **options: object) -> Built:
    return build(read(text), SCOPE, **options)  # type: ignore[arg-type]


def value(text: str) -> object:
    return of(text).value


def refused(text: str, kind: type[Exception] = TextError) -> str:
    with pytest.raises(kind) as caught:
        of(text)
    assert type(caught.value) is kind
    return str(caught.value)


def digamma(a: float) -> float:
    step = 1e-5
    return (math.lgamma(a + step) - math.lgamma(a - step)) / (2 * step)


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


ANY, POSITIVE, UNIT = (-2.3, -0.4, 0.3, 1.7), (0.2, 0.9, 3.1), (-0.8, -0.1, 0.6)
ORACLE = {
    "sin": (math.sin, ANY),
    "cos": (math.cos, ANY),
    "tan": (math.tan, ANY),
    "cot": (lambda a: 1 / math.tan(a), ANY),
    "sec": (lambda a: 1 / math.cos(a), ANY),
    "csc": (lambda a: 1 / math.sin(a), ANY),
    "asin": (math.asin, UNIT),
    "arcsin": (math.asin, UNIT),
    "acos": (math.acos, UNIT),
    "arccos": (math.acos, UNIT),
    "atan": (math.atan, ANY),
    "arctan": (math.atan, ANY),
    "sinh": (math.sinh, ANY),
    "cosh": (math.cosh, ANY),
    "tanh": (math.tanh, ANY),
    "coth": (lambda a: 1 / math.tanh(a), ANY),
    "sech": (lambda a: 1 / math.cosh(a), ANY),
    "csch": (lambda a: 1 / math.sinh(a), ANY),
    "asinh": (math.asinh, ANY),
    "arcsinh": (math.asinh, ANY),
    "acosh": (math.acosh, (1.1, 2.0, 7.3)),
    "arccosh": (math.acosh, (1.1, 2.0, 7.3)),
    "atanh": (math.atanh, UNIT),
    "arctanh": (math.atanh, UNIT),
    "exp": (math.exp, ANY),
    "expm1": (math.expm1, ANY),
    "log": (math.log, POSITIVE),
    "ln": (math.log, POSITIVE),
    "log1p": (math.log1p, (-0.6, 0.3, 2.0)),
    "log2": (math.log2, POSITIVE),
    "log10": (math.log10, POSITIVE),
    "sqrt": (math.sqrt, POSITIVE),
    "cbrt": (math.cbrt, ANY),
    "abs": (abs, ANY),
    "sign": (lambda a: math.copysign(1, a), ANY),
    "sgn": (lambda a: math.copysign(1, a), ANY),
    "heaviside": (lambda a: float(a > 0), ANY),
    "step": (lambda a: float(a > 0), ANY),
    "relu": (lambda a: max(a, 0.0), ANY),
    "sigmoid": (sigmoid, ANY),
    "sigma": (sigmoid, ANY),
    "logistic": (sigmoid, ANY),
    "softplus": (lambda a: math.log1p(math.exp(a)), ANY),
    "erf": (math.erf, ANY),
    "erfc": (math.erfc, ANY),
    "gamma": (math.gamma, POSITIVE),
    "lgamma": (math.lgamma, POSITIVE),
    "loggamma": (math.lgamma, POSITIVE),
    "digamma": (digamma, POSITIVE),
}
PAIRS = ((-1.3, 0.7), (0.4, 2.1), (1.6, -0.8))
ORACLE_2 = {
    "atan2": (math.atan2, PAIRS),
    "arctan2": (math.atan2, PAIRS),
    "max": (max, PAIRS),
    "maximum": (max, PAIRS),
    "min": (min, PAIRS),
    "minimum": (min, PAIRS),
    "pow": (pow, ((0.4, 2.1), (1.6, -0.8), (2.0, 0.5))),
}
VECTORS = {
    "sum": lambda a: sum(a),
    "mean": lambda a: sum(a) / len(a),
    "norm": lambda a: math.hypot(*a),
}


@pytest.mark.parametrize("name", sorted(ORACLE))
def test_function_of_one_argument(name: str) -> None:
    """Each function of the table, of a name and of a literal, is what `math` computes."""
    oracle, points = ORACLE[name]
    general = value(f"{name}(x)")
    for point in points:
        expected = oracle(point)
        assert float(general.subs(x, sp.Float(point, 30))) == pytest.approx(expected, rel=1e-8)
        assert float(value(f"{name}({point})")) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", sorted(ORACLE_2))
def test_function_of_two_arguments(name: str) -> None:
    """Each function of two arguments is what `math` computes, the arguments in that order."""
    oracle, points = ORACLE_2[name]
    general = value(f"{name}(x, y)")
    for a, b in points:
        found = general.subs({x: sp.Float(a, 30), y: sp.Float(b, 30)})
        assert float(found) == pytest.approx(oracle(a, b), rel=1e-12)


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_function_of_a_vector(name: str) -> None:
    """Each function of a vector is what plain Python computes."""
    for entries in ((3.0, -1.5, 2.25), (0.5, 0.25, -0.125)):
        found = value(f"{name}(v)").subs(dict(zip(v, entries, strict=True)))
        assert float(found) == pytest.approx(VECTORS[name](entries))


def test_table_is_covered() -> None:
    """No function of the table goes without an independent evaluation in these tests."""
    assert {*FUNCTIONS} == {*ORACLE, *ORACLE_2, *VECTORS, "dot", "transpose"}
    assert value("dot(v, v)") == sum(a**2 for a in v)
    assert value("transpose(W)") == W.T


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x**2", -(x**2)),
        ("2**-x", 2**-x),
        ("2**3**2", sp.Integer(512)),
        ("-2^2", sp.Integer(-4)),
        ("x**-y**2", x ** (-(y**2))),
        ("x - y - t", x - y - t),
        ("x/y/t", x / y / t),
        ("x/y*t", x / y * t),
        ("x*-y", -x * y),
        ("x - -y", x + y),
        ("+x", x),
        ("x + y*t**2", x + y * t**2),
        ("x·y × t − x²", x * y * t - x**2),
        ("x² + y³", x**2 + y**3),
        ("2*x²", 2 * x**2),
        ("x⁴ + y⁹", x**4 + y**9),
        ("½*x + ¾", x / 2 + sp.Rational(3, 4)),
        ("x**½", sp.sqrt(x)),
        ("x⋅y", x * y),
        ("sin^2(x)", sp.sin(x) ** 2),
        ("-sin²(x)/2", -(sp.sin(x) ** 2) / 2),
        ("2^cos^3(x)", 2 ** (sp.cos(x) ** 3)),
        ("ln^2(x)", sp.log(x) ** 2),
        ("tan**2(x)*y", sp.tan(x) ** 2 * y),
        ("sin^2(v)", v.applyfunc(lambda a: sp.sin(a) ** 2)),
        ("|x|", sp.Abs(x)),
        ("2*|x - |y|*t|**3", 2 * sp.Abs(x - sp.Abs(y) * t) ** 3),
        ("| |x| - 1|", sp.Abs(sp.Abs(x) - 1)),
        ("ln(|x|)/|x|", sp.log(sp.Abs(x)) / sp.Abs(x)),
        ("|x*(|y| + 1)|", sp.Abs(x * (sp.Abs(y) + 1))),
        ("-|x|²", -(sp.Abs(x) ** 2)),
        ("√x/2", sp.sqrt(x) / 2),
        ("√(x + 1)*√2", sp.sqrt(x + 1) * sp.sqrt(2)),
        ("√|x|", sp.sqrt(sp.Abs(x))),
        ("√√x", sp.sqrt(sp.sqrt(x))),
        ("x*√y", x * sp.sqrt(y)),
        ("log(8, 2)", sp.Integer(3)),
        ("log(x, 10)", sp.log(x) / sp.log(10)),
        ("-x²", -(x**2)),
        ("0.1", sp.Rational(1, 10)),
        (".5 + 1e-3 + 2. + 1E2", sp.Rational(1, 2) + sp.Rational(1, 1000) + 102),
        ("π + pi", 2 * sp.pi),
        ("E**x", sp.exp(x)),
        ("exp(1)", sp.E),
        ("σ(x)", 1 / (1 + sp.exp(-x))),
        ("cbrt(-8)", sp.Integer(-2)),
        ("log2(8)", sp.Integer(3)),
        ("sqrt(0) + abs(0) + max(2, 2)", sp.Integer(2)),
        ("acos(-1)", sp.pi),
        ("v[2] + W[1, 0]", v[2] + W[1, 0]),
        ("W.T[2, 1]", W[1, 2]),
        ("[x, y][1]", y),
        ("[x, y]@[1, 2]", x + 2 * y),
        ("v@v", sum(a**2 for a in v)),
        ("v.T@v", sum(a**2 for a in v)),
        ("W@v", W * v),
        ("2*A@A", 2 * A * A),
        ("A@A*2", 2 * A * A),
        ("[[x, y], [1, t]]", sp.ImmutableDenseMatrix([[x, y], [1, t]])),
        ("[x, y]", sp.ImmutableDenseMatrix([x, y])),
        ("W + 1", W.applyfunc(lambda a: a + 1)),
        ("-W*W/2", W.applyfunc(lambda a: -(a**2) / 2)),
        ("2**W", W.applyfunc(lambda a: 2**a)),
        ("sin(W)", W.applyfunc(sp.sin)),
        ("max(v, 0)", v.applyfunc(lambda a: sp.Max(a, 0))),
        ("v@v.T", v * v.T),
        ("x \n\t+ y", x + y),
    ],
)
def test_meaning(text: str, expected: object) -> None:
    """Precedence, spellings, exact numbers and matrices mean what NumPy and algebra mean."""
    found = value(text)
    assert found.shape == expected.shape if hasattr(expected, "shape") else True
    assert found == expected
    assert isinstance(found, sp.ImmutableDenseMatrix) == isinstance(expected, sp.MatrixBase)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x*y/x", [sp.Ne(x, 0)]),
        ("x**-2", [sp.Ne(x, 0)]),
        ("x**2", []),
        ("x**0.5", [x > 0]),
        ("x**y", [x > 0]),
        ("2**x", []),
        ("E**x", []),
        ("sqrt(x)**2/sqrt(x)", [x > 0, sp.Ne(sp.sqrt(x), 0)]),
        ("log(x) + ln(x) + log2(x) + log10(x)", [x > 0]),
        ("log1p(x)", [x > -1]),
        ("log(x, y)", [x > 0, y > 0, sp.Ne(sp.log(y), 0)]),
        ("coth(x) + csch(x)", [sp.Ne(x, 0)]),
        ("tan(x) + sec(x)", [sp.Ne(sp.cos(x), 0)]),
        ("cot(x) + csc(x)", [sp.Ne(sp.sin(x), 0)]),
        ("asin(x) + acos(x) + atanh(x)", [x > -1, x < 1]),
        ("acosh(x)", [x > 1]),
        ("abs(x) + sign(x) + step(x) + relu(x) + cbrt(x)", [sp.Ne(x, 0)]),
        ("max(x, y, t)", [sp.Ne(x - y, 0), sp.Ne(x - t, 0), sp.Ne(y - t, 0)]),
        ("gamma(x) + lgamma(x) + digamma(x)", [x > 0]),
        ("atan2(y, x)", [x**2 + y**2 > 0]),
        ("norm(v)", [sum(a**2 for a in v) > 0]),
        ("1/(x**2 + 1)", []),
        ("1/[x, y]", [sp.Ne(x, 0), sp.Ne(y, 0)]),
        ("1/(1/x)/log(y)", [sp.Ne(x, 0), sp.Ne(1 / x, 0), y > 0, sp.Ne(sp.log(y), 0)]),
    ],
)
def test_conditions(text: str, expected: list[sp.Basic]) -> None:
    """The literal conditions are kept in the order met, once, although the value cancels."""
    assert list(of(text).conditions) == [c for c in expected if c != sp.true]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(x) + sign(x) + relu(x) + step(x) + cbrt(x)", []),
        ("sqrt(x) + acosh(x) + asin(y) + acos(y) + max(x, y) + norm(v) + x**0.5", []),
        ("x*y/x", [sp.Ne(x, 0)]),
        ("abs(x)/x", [sp.Ne(x, 0)]),
        ("abs(x)/y/x", [sp.Ne(x, 0), sp.Ne(y, 0)]),
        ("x**-2*abs(x)/x", [sp.Ne(x, 0)]),
        ("1/sqrt(x)", [sp.Ne(sp.sqrt(x), 0)]),
        ("sqrt(x)*log(x)", [x > 0]),
        ("x**-0.5 + y**t", [x > 0, y > 0]),
        ("asin(x) + atanh(x)", [x > -1, x < 1]),
        ("log1p(x) + gamma(y)", [x > -1, y > 0]),
        ("tan(x) + csc(x)", [sp.Ne(sp.cos(x), 0), sp.Ne(sp.sin(x), 0)]),
        ("atan2(y, x)", [x**2 + y**2 > 0]),
        ("max(x, y)/(x - y)", [sp.Ne(x - y, 0)]),
        ("abs([x, y])/[1, y]", [sp.Ne(y, 0)]),
    ],
)
def test_defined(text: str, expected: list[sp.Basic]) -> None:
    """Where a text has no value at equality is told from where it has no derivative."""
    built = of(text)
    assert list(built.defined) == expected
    assert [c for c in built.conditions if c in built.defined] == expected


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "the text is empty", 0),
        ("   ", "the text is empty", 3),
        ("q + x", "unknown name 'q'; known names: A, W, t, v, x, y", 0),
        ("x + θ", "unknown name 'θ' (theta); ", 4),
        ("e + x", "Euler's number is written E or exp(1)", 0),
        ("x*i", "formulas are real", 2),
        ("I", "formulas are real", 0),
        ("5x", "write 5*x", 1),
        ("2(x+1)", "write 2*(…)", 1),
        ("x y", "write x*y", 2),
        ("(x)(y)", "write (x)*(…)", 3),
        ("x(1+t)", "x is a name, not a function; write x*(…)", 0),
        ("sin x", "sin needs parentheses; write sin(x)", 4),
        ("sin^2 x", "write sin(…)**2", 6),
        ("sin² x", "write sin(…)²", 5),
        ("sin^-1(x)", "write asin(…) or 1/sin(…)", 3),
        ("1 + tan**-2(x)", "write atan(…) or 1/tan(…)", 7),
        ("sin^y(x)", "sin is a function; write sin(…)", 0),
        ("sin^1.5(x)", "write sin(…)**1.5", 7),
        ("exp^2(x)", "write exp(…)**2", 5),
        ("sin^2(x)^2", "a power of a power", 8),
        ("sin^2(x)²", "a power of a power", 8),
        ("sin⁻¹(x)", "⁻ is not read in an exponent", 3),
        ("|x", "this '|' is never closed", 0),
        ("x|", "this '|' opens nothing", 1),
        ("2|x|", "as in 2*|x|", 1),
        ("|x|y|", "write |x|*y", 3),
        ("|(x|)", "'|' opens nothing", 3),
        ("||v||", "write norm(x)", 0),
        ("|", "the formula ends here, after '|'", 1),
        ("| |", "the formula ends here, after '|'", 3),
        ("|v|", "|…| of a matrix is not clear; write norm(…)", 0),
        ("√x²", "what √ takes is not clear here", 0),
        ("√x**2", "what √ takes is not clear here", 0),
        ("√-x", "write √(…)", 1),
        ("2√x", "write 2*√", 1),
        ("x½", "write x*½", 1),
        ("log(x, 1)", "division by zero", 0),
        ("ln(x, 2)", "ln takes 1 argument, not 2", 0),
        ("1 + sin", "sin is a function; write sin(…)", 4),
        ("f'(x)", "f' is not read; give a derivative a name, such as df", 1),
        ("x + sinn(x)", "unknown function 'sinn'; did you mean sin?", 4),
        ("2*(x + 1", "this '(' is never closed; write ')'", 2),
        ("x + 1)", "')' closes nothing", 5),
        ("[x, y", "this '[' is never closed", 0),
        ("(x]", "this '(' meets a ']'", 0),
        ("x +", "the formula ends here, after '+'", 3),
        ("*x", "'*' needs something on its left", 0),
        ("sin()", "sin has nothing in it", 3),
        ("(x, y)", "write [a, b] for a vector", 2),
        ("x, y", "',' stands only between", 1),
        ("x.real", ".real' is not part of a formula; the only one is .T", 1),
        ("x.T", "x is a scalar; .T is for matrices", 0),
        ("x == y", "'==' is not part of a formula", 2),
        ("x = y", "'=' is not part of a formula", 2),
        ("x := y", "':=' is not part of a formula", 2),
        ("x // y", "'//' is not part of a formula", 2),
        ("x < y", "'<' is not part of a formula", 2),
        ("_x", "begins with an underscore", 0),
        ("a" * 41, "a name of 41 characters; the limit is 40", 0),
        ("9**9**9", "9**9**9 has more than 1,233 digits", 0),
        ("x**1001", "has the exponent 1001; the limit is 1,000", 0),
        ("(x**1000)**1000", "the limit is 1,000", 0),
        ("1" * 61, "a number of 61 digits; the limit is 60", 0),
        ("x*1e401", "the decimal exponent 401; the limit is ±400", 2),
        ("1/0", "division by zero", 2),
        ("x/(y-y)", "division by zero", 2),
        ("0**-1", "division by zero", 0),
        ("1 + log(0)", "division by zero", 4),
        ("tan(pi/2)", "division by zero", 0),
        ("sqrt(-1)", "is not a real number", 0),
        ("x + log(-2)", "is not a real number", 4),
        ("asin(2)", "is not a real number", 0),
        ("(-8)**(1/3)", "is not a real number", 0),
        ("gamma(-1.5)", "is read for arguments > 0 only", 0),
        ("gamma(10**6)", "a constant of about 1.00e+6; the limit is 400", 0),
        ("x + sin(10**300)", "the limit is 1,000,000", 4),
        ("exp(5000)", "the limit for a constant is 2**±4,096", 0),
        ("sqrt(x - x)", "has no derivative: its argument is always 0", 0),
        ("max(x, x)", "has no derivative: two of its arguments are always equal", 0),
        ("max(x)", "max takes 2 to 16 arguments, not 1", 0),
        ("atan2(x)", "atan2 takes 2 arguments, not 1", 0),
        ("sin(x, y)", "sin takes 1 argument, not 2", 0),
        ("v[3]", "v is (3×1); the index is out of it", 0),
        ("W[2, 0]", "W is (2×3); the index is out of it", 0),
        ("W[0]", "W is (2×3); write two indices", 0),
        ("v[-1]", "an index is a whole number, counted from 0", 2),
        ("v[1.0]", "an index is a whole number", 2),
        ("x[0]", "x is a scalar", 0),
        ("x@y", "@ is for two matrices", 1),
        ("[[x, y], [1]]", "a row of 1 entries below one of 2", 9),
        ("[x, [y]]", "a list holds scalars, or rows that are all lists", 0),
        ("[v, x]", "an entry of (3×1); entries are scalars", 1),
        ("x²³", "a power of a power", 2),
    ],
)
def test_message(text: str, message: str, column: int) -> None:
    """Each refusal says what is wrong, and its caret stands under the spot."""
    shown = refused(text)
    assert message in shown
    if len(text) <= 40:
        _, line, carets = shown.split("\n")
        assert line == f"  {text}"
        assert carets.index("^") == column + 2


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        (
            "W * v",
            "(2×3) * (3×1): entry by entry needs equal shapes; write @ for the matrix product",
            2,
        ),
        ("A*v", "(2×2) * (3×1): entry by entry needs equal shapes\n", 1),
        ("W + A", "(2×3) + (2×2): entry by entry needs equal shapes\n", 2),
        ("W@W", "(2×3) @ (2×3): the inner sizes 3 and 2 differ", 1),
        ("W**A", "(2×3) ** (2×2): entry by entry needs equal shapes", 1),
        ("dot(v, W)", "dot of (3×1), (2×3): it needs equal shapes", 0),
    ],
)
def test_shape_message(text: str, message: str, column: int) -> None:
    """Shapes that do not fit are both named, with a caret under the operator."""
    shown = refused(text, ShapeError)
    assert message in shown
    assert shown.split("\n")[2].index("^") == column + 2


def test_names_and_calls() -> None:
    """Names and calls come in order of first appearance; a called function is no name."""
    source = read("b*sin(a) + f(b, cos(σ)) + pi")
    assert source.names == ("b", "a", "sigma", "pi")
    assert source.calls == ("sin", "f", "cos")
    assert (source.tree.start, source.tree.stop) == (0, len(source.text))


def test_scope_and_undefined_come_first() -> None:
    """A scope wins over a constant, and an undefined function over the table."""
    e = sp.Symbol("E", real=True)
    assert build(read("E*x"), {"E": e, "x": x}).value == e * x
    f = sp.Function("sin", real=True)
    assert of("sin(x, y)", undefined=("sin",)).value == f(x, y)
    q = sp.Symbol("q", real=True)
    assert of("q + e", free=True).value == q + sp.Symbol("e", real=True)
    with pytest.raises(TextError, match="g is a function; write g"):
        of("g + 1", undefined=("g",))
    with pytest.raises(TextError, match="did you mean rate"):
        build(read("rat*2"), {"rate": x})


def test_undefined_function_of_a_matrix() -> None:
    """An undefined function of one argument acts entry by entry; of several, they are scalars."""
    g = sp.Function("sigma", real=True)
    options = {"undefined": ("sigma",)}
    assert of("σ(v)", **options).value == sp.ImmutableDenseMatrix([g(v[0]), g(v[1]), g(v[2])])
    assert of("sigma(W@v + 1)", **options).value == (W * v).applyfunc(lambda a: g(a + 1))
    assert of("sigma(W)", **options).value == W.applyfunc(g)
    assert of("sigma([[x]])", **options).value == sp.ImmutableDenseMatrix([[g(x)]])
    assert of("v.T@sigma(v)", **options).value == sum(a * g(a) for a in v)
    assert of("sigma(10**9)", **options).value == g(10**9)
    for text, shape in (("sigma(x, v)", "3×1"), ("sigma(v, v)", "3×1"), ("sigma(W, x)", "2×3")):
        with pytest.raises(TextError, match=rf"sigma takes scalars; this is \({shape}\)"):
            of(text, **options)


def test_wrong_types_are_said() -> None:
    """What is no text, and a scope value that is not SymPy's, are errors of use."""
    with pytest.raises(UsageError, match="a formula is a text, not int"):
        read(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="x is float"):
        build(read("x"), {"x": 1.0})  # type: ignore[dict-item]


def test_name_labels_a_message() -> None:
    """What a text defines stands before the message."""
    with pytest.raises(TextError) as caught:
        read("x +", name="f")
    assert str(caught.value).startswith("f: the formula ends here")
    with pytest.raises(TextError) as caught:
        build(read("q"), {}, name="g")
    assert str(caught.value).startswith("g: unknown name 'q'")


def test_definition() -> None:
    """A definition gives its name and the right side, with or without its arguments."""
    name, source = read_definition("f = sin(x)*exp(y*z**2)")
    assert (name, source.names) == ("f", ("x", "y", "z"))
    name, source = read_definition("σ_1(x, y) = y*x")
    assert (name, source.names) == ("sigma_1", ("y", "x"))
    assert source.text[source.tree.start : source.tree.stop] == "y*x"


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "write a definition, such as f = sin(x)", 0),
        ("sin(x)", "a definition needs '='", 6),
        ("f == x", "'==' compares; a definition is written with one '='", 2),
        ("f = x = y", "a second '='", 6),
        ("f(x, y) = x", "the argument y is not used on the right side", 5),
        ("f(x, x) = x", "the argument x is listed twice", 5),
        ("f(2) = x", "on the left of '=' stands f or f(x, y)", 1),
        ("f() = x", "on the left of '=' stands f or f(x, y)", 1),
        ("2 = x", "a definition begins with its name", 0),
        ("f =", "the text is empty", 3),
        ("f = x +", "the formula ends here", 7),
        ("f' = x", "f' is not read", 1),
    ],
)
def test_definition_message(text: str, message: str, column: int) -> None:
    """What is no definition is refused at its spot."""
    with pytest.raises(TextError) as caught:
        read_definition(text)
    assert message in str(caught.value)
    assert str(caught.value).split("\n")[-1].index("^") == column + 2


def nested(template: str, count: int, inner: str = "x") -> str:
    for _ in range(count):
        inner = template.replace("?", inner)
    return inner


HOSTILE = {
    "import": '__import__("os").system("touch chainrule_was_here")',
    "class": "().__class__.__bases__[0]",
    "power tower": "9**9**9",
    "parentheses": "(" * 300 + "x" + ")" * 300,
    "open parentheses": "(" * 300,
    "sines": "sin(" * 300 + "x" + ")" * 300,
    "minus": "-" * 300 + "x",
    "powers": "x" + "**x" * 300,
    "lists": "[" * 300 + "x" + "]" * 300,
    "long text": "x+" * 50_000 + "x",
    "long unknown name": "a" * 39,
    "null byte": "x\x00 + y",
    "control": "x + \x1b[31m y",
    "lambda": "lambda: 0",
    "conditional": "x if y else t",
    "open": 'open("f")',
    "braces": "{}",
    "f-string": 'f"{x}"',
    "string": "'abc'",
    "emoji": "x + 😀",
    "right to left": "x + שלום",
    "bidi control": "x \u202e+ y",
    "other digits": "x + ١٢",
    "other letters": "х + 1",
    "full width": "ｘ + 1",
    "semicolon": "x; y",
    "walrus": "(x := 1)",
    "star args": "sin(*x)",
    "keyword args": "sin(x=1)",
    "backslash": "x \\ y",
    "comment": "x # y",
    "imaginary": "1j",
    "underscored number": "1_000",
    "hexadecimal": "0x10",
    "many symbols": "x+" * 1500 + "x",
    "squarings": nested("(?)**1000", 5, "2"),
    "symbolic squarings": nested("(?)**1000", 5),
    "hidden power": "2**(x + 10**9)*2**(-x)",
    "power through logarithms": "exp(10**9*log(3))",
    "power through a base": "2**(10**9*log(3)/log(2))",
    "big product": "*".join(["9" * 60] * 900),
    "big factorial": "gamma(10**6)",
    "big harmonic": "digamma(10**6)",
    "big sine": "sin(10**300)",
    "big exponential": "exp(9**99)",
    "exponentials": nested("exp(?)", 40, "9"),
    "doubling": nested("cbrt(?+1)", 40),
    "doubling matrices": "A" + "@A" * 60,
    "nested constants": nested("sigmoid(?)", 30, "0.3"),
    "vanishing constants": nested("(sin(?)**2+cos(?)**2-1)", 5, "1"),
    "root constants": nested("sqrt(1+sqrt(2)-?/3)", 20, "1"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_text_is_refused(name: str) -> None:
    """Text that would run code, or never end, is refused in time, with a message."""
    begun = time.process_time()
    with pytest.raises(TextError) as caught:
        of(HOSTILE[name])
    assert "\n" in str(caught.value)
    assert time.process_time() - begun < SECONDS


LARGE = {
    "sum": "+".join(["x*y"] * 499),
    "product": "*".join(f"(x+{k})" for k in range(1, 330)),
    "quotient": "/".join(f"(x+{k})" for k in range(1, 330)),
    "continued": "1/(" + "+".join(f"1/(x+{k})" for k in range(1, 240)) + ")",
    "roots": "*".join(f"sqrt({k})" for k in range(1, 390)),
    "root of a large number": "sqrt(" + "*".join(["9" * 59 + "7"] * 20) + ")",
    "powers of two": "*".join(f"2**(x/{k})" for k in range(1, 245)),
    "maxima": nested("max(?,sin(?+y),t)", 7),
    "many maxima": "max("
    + ",".join(
        f"max(x,{','.join(f'sin(y+{j})' for j in range(k, k + 12))})" for k in range(0, 60, 4)
    )
    + ")",
    "sigmoids": nested("sigmoid(y*?+t)", 20),
    "secants": nested("sec(?)", 60),
    "logarithms": nested("log1p(?)", 60),
    "absolute logarithms": "abs(" + "+".join(f"log(x+{k})*y" for k in range(1, 200)) + ")",
    "limit of depth": "(" * 63 + "x" + ")" * 63,
}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_large_text_ends(name: str) -> None:
    """The largest texts within the limits are built in time."""
    begun = time.process_time()
    assert isinstance(of(LARGE[name]), Built)
    assert time.process_time() - begun < SECONDS


def test_limit_messages_show_limit_and_value() -> None:
    """Length, number of symbols and depth are each said with their limit."""
    assert "100,001 characters; the limit is 10,000" in refused("x+" * 50_000 + "x")
    assert "3,001 symbols; the limit is 2,000" in refused("x+" * 1500 + "x")
    assert "nested 65 deep here; the limit is 64" in refused("-" * 300 + "x")
    assert f"{len(read('x' + ' ' * (MAX_LENGTH - 1)).text):,}" == "10,000"
    assert "symbols; the limit is 20,000" in refused("A" + "@A" * 60)


PIECES = (
    "x y t W A v sin cos exp log sqrt max abs gamma cbrt sigma sum dot norm pow atan2 pi E e i"
    " 0 1 2 3 0.5 1e-3 10 1000 99999 + - * / ** ^ @ ( ) [ ] , .T . = == ² ³ · − ' _ lambda"
    " sin( exp( (x ) x) [0]"
).split()
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join),
    st.text(max_size=30),
    st.recursive(
        st.sampled_from(["x", "y", "v", "W", "A", "2", "0", "0.3", "pi", "-1", "10**40"]),
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*/@^"), inner),
            st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), inner),
            st.builds("{}({}, {})".format, st.sampled_from(sorted(FUNCTIONS)), inner, inner),
            st.builds("[{}, {}]".format, inner, inner),
        ),
        max_leaves=12,
    ),
)


@given(texts)
@settings(max_examples=600, deadline=None)
def test_any_text_is_built_or_refused(text: str) -> None:
    """Whatever the text: a value, or a TextError or ShapeError; never anything else, never late."""
    begun = time.process_time()
    try:
        built = of(text)
    except (TextError, ShapeError) as error:
        assert str(error)
    else:
        for entry in built.value if isinstance(built.value, sp.MatrixBase) else [built.value]:
            assert not entry.has(sp.nan, sp.zoo, sp.oo, sp.I)
    try:
        read_definition(text)
    except TextError as error:
        assert str(error)
    assert time.process_time() - begun < SECONDS


expressions = st.recursive(
    st.one_of(
        st.sampled_from([x, y, t, sp.pi, sp.E]),
        st.fractions(-9, 9, max_denominator=9).map(
            lambda q: sp.Rational(q.numerator, q.denominator)
        ),
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a: 1 / (a**2 + 1), inner),
        st.builds(lambda a, n: (a**2 + 2) ** sp.Rational(n, 2), inner, st.integers(-3, 3)),
        st.builds(lambda f, a: f(a), st.sampled_from([sp.sin, sp.cos, sp.tanh, sp.atan]), inner),
        st.builds(lambda a: sp.exp(sp.sin(a)), inner),
        st.builds(lambda a: sp.log(a**2 + 1), inner),
    ),
    max_leaves=7,
)


@given(expressions, st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_round_trip(expression: sp.Expr, seed: int) -> None:
    """A SymPy expression printed by str() and read back has the same values."""
    rng = random.Random(seed)
    point = {s: sp.Rational(rng.randint(-20, 20), 8) for s in (x, y, t)}
    try:
        found = value(str(expression))
    except TextError as error:
        assert "nested" in str(error)
        return
    left, right = found.subs(point).evalf(30), expression.subs(point).evalf(30)
    assert abs(left - right) <= sp.Float(10) ** -20 * (1 + abs(right))


@pytest.mark.parametrize(
    ("written", "means"),
    [("sum(x**2)", "x**2"), ("mean(x)", "x"), ("dot(x, 3)", "3*x"), ("transpose(x)", "x")],
)
def test_a_scalar_is_a_vector_of_one_entry(written: str, means: str) -> None:
    """What takes a vector takes a scalar too: W @ a is one where W has one row."""
    assert of(written, free=True).value == of(means, free=True).value
