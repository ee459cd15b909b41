"""The derivations and the claims of the page, as data: what is to be derived and checked elsewhere.

The language of the texts is that of Python: `**`, `@`, `W.T`, x[0] counts from zero, a list is a
vector; sin, cos, exp, log, sqrt, tanh act entry by entry, sum(v) and dot(u, v) are scalars. A name
without a definition is a free input, a real scalar unless `shapes` says otherwise. A name in
`functions` is an undefined function of one variable; {"x1": "x1(u1, u2)"} makes x1 an undefined
function of those. Claims are written in the free inputs alone.

`ENTRIES` are right, `MISPRINTS` hold what is printed wrong, and a check must refuse each of them;
`NARROW` is right, but not as far as it looks, and its claims show how far. An expected answer here
(`right`, `fails`) is only what we say: it is for the checker to find out by itself.

Source: the page "multivariate chain rule and applications"; `where` names the section.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SIGMOID = "1/(1 + exp(-z))"


@dataclass(frozen=True)
class Claimed:
    """A derivative that somebody wrote down.

    text : it, in the language of the texts.
    right : whether it is the derivative of the entry's definitions.
    printed : it as printed, in LaTeX; "" if it is our own and not on the page.
    correction : what should stand there; "name = text" where the definition is what is wrong.
    note : what to know about it.
    wrt : which of the entry's variables it is the derivative for; "" if the entry has one.
    """

    text: str
    right: bool
    printed: str
    correction: str = ""
    note: str = ""
    wrt: str = ""


@dataclass(frozen=True)
class Entry:
    """One derivation: definitions, of what, for what.

    key, title, where : its name, what it is in words, and the section of the page.
    definitions : name to text, or to a list of texts for a vector.
    of, wrt : the derivative of `of` for `wrt`, a name or several.
    shapes : the free inputs that are no scalars; (n,) is a column vector.
    functions : the names that are undefined functions of one variable.
    claims : what was written down as the answer.
    by_hand : the answer as a NumPy function of the free inputs, by name.
    note : what to know about it.
    fails : "shape" if the definitions fit no shapes, so that deriving must raise; else "".
    corrected_by : the key of the entry that has it right, for a misprint.
    """

    key: str
    title: str
    where: str
    definitions: Mapping[str, str | list[str]]
    of: str
    wrt: str | tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    claims: tuple[Claimed, ...] = ()
    by_hand: Callable[..., Any] | None = None
    note: str = ""
    fails: str = ""
    corrected_by: str = ""


# ---- by hand, in NumPy ---------------------------------------------------------------------------


def total_derivative_by_hand(t: Array) -> Any:
    """df/dt = e cos(t − 1), because y z² = 1.

    >>> float(total_derivative_by_hand(np.array(1.0))) == np.e
    True
    """
    return np.e * np.cos(t - 1)


def univariate_by_hand(t: Array) -> Any:
    """df/dt = df/dx · dx/du · du/dt = 5 · (−1) · 2t.

    >>> float(univariate_by_hand(np.array(3.0)))
    -30.0
    """
    return 5 * (-1) * (2 * t)


def two_vectors_by_hand(t: float) -> Any:
    """df/dt = ∂f/∂x · ∂x/∂u · du/dt, shapes (1×1) = (1×2)(2×2)(2×1), for one scalar t.

    >>> float(two_vectors_by_hand(0.0))     # 3 cos 1
    1.6209069176044193
    """
    u = [t**2, np.exp(t)]
    x = [u[0] * u[1], u[0] + np.sin(u[1])]
    df_dx = np.array([[2 * x[0], 3.0]])
    dx_du = np.array([[u[1], u[0]], [1.0, np.cos(u[1])]])
    du_dt = np.array([[2 * t], [np.exp(t)]])
    return (df_dx @ dx_du @ du_dt)[0, 0]


def d_sigma(z: Array) -> Any:
    """σ′ as printed, exp(−z)/(exp(−z) + 1)².

    >>> float(d_sigma(np.array(0.0)))
    0.25
    """
    return np.exp(-z) / (np.exp(-z) + 1) ** 2


# ---- entries of any size -------------------------------------------------------------------------


def neuron(n: int) -> Entry:
    """One neuron with n ≥ 1 inputs, a = σ(w · a0 + b), and its squared error.

    >>> neuron(5).shapes
    {'w': (5,), 'a0': (5,)}
    """
    _positive(n=n)
    return Entry(
        key="neuron-n-inputs",
        title=f"One neuron with {n} inputs",
        where="neural network",
        definitions={"z": "dot(w, a0) + b", "a": "sigma(z)", "C": "(a - y)**2"},
        of="C",
        wrt=("w", "b"),
        shapes={"w": (n,), "a0": (n,)},
        functions=("sigma",),
        note="The page writes the weighted sum out for two and three inputs, then for any number.",
    )


def layer(m: int, n: int) -> Entry:
    """A layer of m ≥ 1 neurons on n ≥ 1 inputs, a = σ(W a0 + b), and its cost for one sample.

    >>> layer(2, 3).shapes
    {'W': (2, 3), 'a0': (3,), 'b': (2,), 'y': (2,)}
    """
    _positive(m=m, n=n)
    return Entry(
        key="layer",
        title=f"A layer of {m} neurons on {n} inputs",
        where="neural network",
        definitions={"z": "W @ a0 + b", "a": "sigma(z)", "C": "sum((a - y)**2)"},
        of="C",
        wrt=("W", "b"),
        shapes={"W": (m, n), "a0": (n,), "b": (m,), "y": (m,)},
        functions=("sigma",),
        note="One sample, so the mean over the samples is the sum of squares itself.",
    )


def layers(widths: Sequence[int], activation: str = "") -> Entry:
    """A network of the given widths n_0, n_1, …, n_L, and its cost for one sample.

    activation : σ as a text in z, e.g. "tanh(z)"; "" leaves it an undefined function.

    >>> entry = layers((2, 3, 1), "tanh(z)")
    >>> entry.definitions["a2"], entry.shapes["W2"], entry.wrt
    ('tanh(z2)', (1, 3), ('W1', 'W2', 'b1', 'b2'))
    """
    _positive(**{f"widths[{index}]": n for index, n in enumerate(widths)})
    L = len(widths) - 1
    if L < 1:
        raise ValueError(f"widths = {tuple(widths)} make no layer: give at least two of them")
    definitions: dict[str, str | list[str]] = {}
    shapes: dict[str, tuple[int, ...]] = {"a0": (widths[0],)}
    for k in range(1, L + 1):
        definitions[f"z{k}"] = f"W{k} @ a{k - 1} + b{k}"
        definitions[f"a{k}"] = re.sub(r"\bz\b", f"z{k}", activation or "sigma(z)")
        shapes |= {f"W{k}": (widths[k], widths[k - 1]), f"b{k}": (widths[k],)}
    definitions["C"] = f"sum((a{L} - y)**2)"
    shapes["y"] = (widths[L],)
    name = "-".join(str(n) for n in widths)
    return Entry(
        key=f"layers-{name}" if not activation else f"layers-{name}-concrete",
        title=f"A network of widths {name}, σ {f'= {activation}' if activation else 'undefined'}",
        where="neural network; backpropagation practice",
        definitions=definitions,
        of="C",
        wrt=tuple(f"{letter}{k}" for letter in "Wb" for k in range(1, L + 1)),
        shapes=shapes,
        functions=() if activation else ("sigma",),
        note="One sample; over N samples the gradients are the means of these.",
    )


def mean_cost(N: int) -> tuple[Entry, Entry]:
    """∂C/∂a of the mean of N ≥ 2 squared errors: with the printed claim, and with the right one.

    >>> [entry.claims[0].text for entry in mean_cost(3)]
    ['2*(a - y)', '2*(a - y)/3']
    """
    if N < 2:
        raise ValueError(f"N = {N}: give at least 2 samples, for one the printed claim is right")
    wrong = Claimed(
        "2*(a - y)",
        right=False,
        printed=r"\frac{C}{\partial a^{(3)}} = 2(a^{(3)} - y)",
        correction=f"2*(a - y)/{N}",
        note="It is the derivative of one C_k for its own a_k; the 1/N of C is lost. The page's "
        "code divides by x.size, and is right.",
    )
    right = Claimed(f"2*(a - y)/{N}", right=True, printed="")
    definitions: dict[str, str | list[str]] = {"C": f"sum((a - y)**2)/{N}"}
    shapes = {"a": (N,), "y": (N,)}
    where = "backpropagation practice"
    return (
        Entry(
            key="misprint-cost",
            title="The derivative of the mean squared error, without its 1/N",
            where=where,
            definitions=definitions,
            of="C",
            wrt="a",
            shapes=shapes,
            claims=(wrong,),
            note=f"N = {N} samples of one output.",
            corrected_by="mean-cost",
        ),
        Entry(
            key="mean-cost",
            title="The derivative of the mean squared error",
            where=where,
            definitions=definitions,
            of="C",
            wrt="a",
            shapes=shapes,
            claims=(right,),
            note=f"N = {N} samples of one output.",
        ),
    )


def weight_size(n_before: int, n: int) -> tuple[Entry, Entry]:
    """The size of W in W a + b, a of n_before entries, b of n: as printed, and as it must be.

    >>> [entry.shapes["W"] for entry in weight_size(3, 2)]
    [(3, 2), (2, 3)]
    """
    _positive(n_before=n_before, n=n)
    if n_before == n:
        raise ValueError(f"n_before = n = {n}: give two sizes, a square W fits either way")
    definitions: dict[str, str | list[str]] = {"z": "W @ a + b"}
    where = "neural network, the sizes of W and b"
    return (
        Entry(
            key="misprint-size",
            title="The size of W the wrong way round",
            where=where,
            definitions=definitions,
            of="z",
            wrt="a",
            shapes={"W": (n_before, n), "a": (n_before,), "b": (n,)},
            note="Printed: neurons in a^(L−1) × neurons in a^(L). That is the size of the "
            "transpose; it fits only a square W.",
            fails="shape",
            corrected_by="weight-size",
        ),
        Entry(
            key="weight-size",
            title="The size of W",
            where=where,
            definitions=definitions,
            of="z",
            wrt="a",
            shapes={"W": (n, n_before), "a": (n_before,), "b": (n,)},
            claims=(Claimed("W", right=True, printed=""),),
            note="Neurons in a^(L) × neurons in a^(L−1): one row per neuron that it feeds.",
        ),
    )


def _positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} = {size} is below 1: give at least 1")


# ---- what is on the page -------------------------------------------------------------------------

_MISPRINT_COST, _MEAN_COST = mean_cost(3)
_MISPRINT_SIZE, _WEIGHT_SIZE = weight_size(3, 2)
_D_SIGMA_TEXT = "exp(-z)/(exp(-z) + 1)**2"
_D_SIGMA_PRINTED = r"\frac{d\sigma^{(z)}}{dz} = \frac{exp(-z)}{(exp(-z) + 1)^{2}}"

# ∂C/∂b of one sigmoid neuron, in its inputs; ∂C/∂w is this times a0.
_ONE_NEURON_B = "2*(1/(1 + exp(-(w*a0 + b))) - y)*exp(-(w*a0 + b))/(exp(-(w*a0 + b)) + 1)**2"

ENTRIES: tuple[Entry, ...] = (
    Entry(
        key="total-derivative",
        title="The total derivative of a function of three functions of t",
        where="multivariate chain rule",
        definitions={"f": "sin(x)*exp(y*z**2)", "x": "t - 1", "y": "t**2", "z": "1/t"},
        of="f",
        wrt="t",
        claims=(
            Claimed(
                "exp(1)*cos(t - 1)",
                right=True,
                printed=r"\frac{\text{d}f}{\text{d}t} = \cos{(t-1)}e",
                note="For t ≠ 0, where z is defined.",
            ),
        ),
        by_hand=total_derivative_by_hand,
        note="The terms of y and z cancel: y z² is 1 whatever t.",
    ),
    Entry(
        key="general",
        title="The total derivative of any function of a vector of functions of t",
        where="multivariate chain rule",
        definitions={"f": "f(x1, x2, x3)", "x1": "x1(t)", "x2": "x2(t)", "x3": "x3(t)"},
        of="f",
        wrt="t",
        note="The inner product of ∂f/∂x and dx/dt, here for three components.",
    ),
    Entry(
        key="univariate",
        title="A chain of three functions of one variable",
        where="multivariate chain rule",
        definitions={"f": "5*x", "x": "1 - u", "u": "t**2"},
        of="f",
        wrt="t",
        claims=(
            Claimed(
                "(5)*(-1)*(2*t)",
                right=True,
                printed=r"\frac{\text{d}f}{\text{d}x}\frac{\text{d}x}{\text{d}u}"
                r"\frac{\text{d}u}{\text{d}t} = (5)(-1)(2t)",
            ),
            Claimed("-10*t", right=True, printed=r"\frac{\text{d}f}{\text{d}t} = -10t"),
        ),
        by_hand=univariate_by_hand,
    ),
    Entry(
        key="univariate-substituted",
        title="The same chain, multiplied out before it is differentiated",
        where="multivariate chain rule",
        definitions={"f": "5 - 5*t**2"},
        of="f",
        wrt="t",
        claims=(Claimed("-10*t", right=True, printed=r"\frac{\text{d}f}{\text{d}t} = -10t"),),
        by_hand=univariate_by_hand,
        note="Substituting first and differentiating factor by factor give the same.",
    ),
    Entry(
        key="two-vectors-undefined",
        title="A chain through two vectors, all functions undefined",
        where="multivariate chain rule",
        definitions={
            "f": "f(x1, x2)",
            "x1": "x1(u1, u2)",
            "x2": "x2(u1, u2)",
            "u1": "u1(t)",
            "u2": "u2(t)",
        },
        of="f",
        wrt="t",
        note="Jacobians of shapes (1×2), (2×2), (2×1): four paths from t to f, three factors each.",
    ),
    Entry(
        key="two-vectors-concrete",
        title="A chain through two vectors",
        where="multivariate chain rule",
        definitions={
            "f": "x[0]**2 + 3*x[1]",
            "x": ["u[0]*u[1]", "u[0] + sin(u[1])"],
            "u": ["t**2", "exp(t)"],
        },
        of="f",
        wrt="t",
        claims=(
            Claimed(
                "(4*t**3 + 2*t**4)*exp(2*t) + 6*t + 3*exp(t)*cos(exp(t))",
                right=True,
                printed="",
            ),
        ),
        by_hand=two_vectors_by_hand,
        note="The functions are ours; the page leaves them open.",
    ),
    Entry(
        key="one-neuron",
        title="One neuron with one input, any activation",
        where="training neural network",
        definitions={"z": "w*a0 + b", "a": "sigma(z)", "C": "(a - y)**2"},
        of="C",
        wrt=("w", "b"),
        functions=("sigma",),
    ),
    Entry(
        key="one-neuron-sigmoid",
        title="One neuron with one input, the sigmoid",
        where="training neural network",
        definitions={"z": "w*a0 + b", "a": SIGMOID, "C": "(a - y)**2"},
        of="C",
        wrt=("w", "b"),
        claims=(
            Claimed(f"{_ONE_NEURON_B}*a0", right=True, printed="", wrt="w"),
            Claimed(_ONE_NEURON_B, right=True, printed="", wrt="b"),
        ),
        note="The page prints the factors; multiplied out they are these.",
    ),
    neuron(3),
    layer(2, 3),
    layers((2, 3, 1)),
    layers((1, 2, 3, 2), SIGMOID),
    layers((2, 2, 2), "tanh(z)"),
    Entry(
        key="sigmoid",
        title="The sigmoid and its derivative",
        where="backpropagation practice",
        definitions={"s": SIGMOID},
        of="s",
        wrt="z",
        claims=(Claimed(_D_SIGMA_TEXT, right=True, printed=_D_SIGMA_PRINTED),),
        note="The page's code has it so.",
    ),
    _MEAN_COST,
    _WEIGHT_SIZE,
)

MISPRINTS: tuple[Entry, ...] = (
    Entry(
        key="misprint-sigmoid",
        title="The sigmoid without its 1 +",
        where="backpropagation practice",
        definitions={"s": "1/exp(-z)"},
        of="s",
        wrt="z",
        claims=(
            Claimed(
                _D_SIGMA_TEXT,
                right=False,
                printed=_D_SIGMA_PRINTED,
                correction=f"s = {SIGMOID}",
                note="The derivative is printed right, for the sigmoid that is meant; the "
                "function printed above it, σ(z) = 1/exp(−z), is exp(z), its own derivative.",
            ),
        ),
        corrected_by="sigmoid",
    ),
    _MISPRINT_COST,
    _MISPRINT_SIZE,
)

_BY_SIZE = r"C = \left\| a - y \right\|^{2} / x.\mathrm{size}"

NARROW: tuple[Entry, ...] = (
    Entry(
        key="narrow-x-size-one-row",
        title="Dividing by x.size, with one row of input",
        where="backpropagation practice, cost",
        definitions={"C": "sum((a - y)**2)/size", "size": "n0*N", "n0": "1"},
        of="C",
        wrt="a",
        shapes={"a": (3,), "y": (3,)},
        claims=(Claimed("2*(a - y)/N", right=True, printed=_BY_SIZE),),
        note="x.size is n0·N, the number of entries of x. For n0 = 1 that is the number of "
        "samples N, and the gradient is the one that is meant.",
    ),
    Entry(
        key="narrow-x-size",
        title="Dividing by x.size, with n0 rows of input",
        where="backpropagation practice, cost",
        definitions={"C": "sum((a - y)**2)/size", "size": "n0*N"},
        of="C",
        wrt="a",
        shapes={"a": (3,), "y": (3,)},
        claims=(
            Claimed(
                "2*(a - y)/N",
                right=False,
                printed=_BY_SIZE,
                correction="C = sum((a - y)**2)/N",
                note="With two inputs a sample the cost, and with it every gradient, is half of "
                "what is meant. In code: divide by x.shape[1].",
            ),
        ),
    ),
    Entry(
        key="narrow-d-sigma",
        title="The derivative of the sigmoid, in float64",
        where="backpropagation practice",
        definitions={"s": SIGMOID},
        of="s",
        wrt="z",
        claims=(Claimed(_D_SIGMA_TEXT, right=True, printed=_D_SIGMA_PRINTED),),
        by_hand=d_sigma,
        note="As a formula it is right everywhere. In float64 exp(−z) is inf below −709.8, and "
        "inf/inf is nan; its square overflows already below −354.9, and the result is 0 there, "
        "where the truth is 6.7e−155 and less.",
    ),
)
