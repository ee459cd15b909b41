"""The gallery, put through `derive` and `check`: the frozen records that a report prints.

This room runs; `report` reads. What it holds is decided in `gallery`, nothing is typed in here.
"""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from chainrule.corridor import check
from chainrule.derivation import Derivation, show_shape
from chainrule.deriving import derive as derive_any
from chainrule.errors import ShapeError
from chainrule.formulas import derive
from chainrule.gallery import lecture, network, page
from chainrule.gallery.activations import ACTIVATIONS
from chainrule.gallery.heart import heart
from chainrule.layers import Network, cost, linear
from chainrule.layers import activation as activation_layer
from chainrule.layers.compare import compare
from chainrule.verdict import Verdict


@dataclass(frozen=True)
class Checked:
    """One claim about a derivation, and the verdict on it.

    claimed : as typed. printed : as on the page, in LaTeX; "" if it is not there.
    verdict : the answer. right : what the gallery expects. correction, note : its words.
    """

    claimed: str
    verdict: Verdict
    right: bool
    correction: str = ""
    note: str = ""
    printed: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the gallery expects."""
        verdict = self.verdict
        return verdict.ok if self.right else verdict.status in ("refuted", "disagrees")


@dataclass(frozen=True)
class Exhibit:
    """One entry of the gallery: a derivation (or the error that it gives) and its claims.

    refused : whether the gallery expects the error.
    """

    key: str
    title: str
    where: str
    note: str
    definitions: tuple[tuple[str, str], ...]
    derivation: Derivation | None
    error: str = ""
    checks: tuple[Checked, ...] = ()
    refused: bool = False

    @property
    def as_expected(self) -> bool:
        """Whether every verdict, and the error or its absence, is what the gallery expects."""
        return bool(self.error) == self.refused and all(c.as_expected for c in self.checks)


@dataclass(frozen=True)
class NetworkRow:
    """One hand-coded Jacobian against the product of SymPy's local ones.

    name : "J_W1". wrt : "W1". shape : of the gradient. formula : LaTeX of the chain of local
    Jacobians. verdict : of the check. worst : max |hand-coded − derived|, scale : max |derived|.
    difference : |hand-coded − derived|, entry by entry, in the gradient's shape.
    """

    name: str
    wrt: str
    shape: tuple[int, int]
    formula: str
    verdict: Verdict
    worst: float
    scale: float
    difference: np.ndarray


@dataclass(frozen=True)
class NetworkExhibit:
    """The page's network: widths, samples, and a row for each Jacobian."""

    widths: tuple[int, ...]
    samples: int
    activation: str
    rows: tuple[NetworkRow, ...]
    local: tuple[tuple[str, str, str], ...]  # (LaTeX of a local Jacobian, its shape, in words)


@dataclass(frozen=True)
class Training:
    """Gradient descent with the verified gradients on the heart curve.

    x : (1×N). y : target (2×N). curves : iteration → output (2×N). history : (iteration, cost).
    """

    widths: tuple[int, ...]
    rate: float
    x: np.ndarray
    y: np.ndarray
    curves: Mapping[int, np.ndarray]
    history: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Exhibition:
    """Everything that the gallery's report shows.

    versions : name → version of what computed it.
    """

    title: str
    exhibits: tuple[Exhibit, ...]
    misprints: tuple[Exhibit, ...]
    narrow: tuple[Exhibit, ...]
    code: tuple[Exhibit, ...]
    network: NetworkExhibit
    training: Training
    versions: Mapping[str, str]

    @property
    def as_expected(self) -> bool:
        """Whether everything came out as the gallery expects."""
        shown = (*self.exhibits, *self.misprints, *self.narrow, *self.code)
        return all(e.as_expected for e in shown) and all(r.verdict.ok for r in self.network.rows)


WIDTHS = (1, 6, 7, 2)
SAMPLES = 5
RATE = 7.0
ITERATIONS = 10_000
SHOWN = (0, 100, 300, 1_000, 3_000, 10_000)

Say = Callable[[str], None]


def exhibit(entry: page.Entry) -> Exhibit:
    """Derive one entry of the gallery and check every claim about it."""
    definitions = tuple(
        (name, value if isinstance(value, str) else "[" + ", ".join(value) + "]")
        for name, value in entry.definitions.items()
    )
    shared = (entry.key, entry.title, entry.where, entry.note, definitions)
    try:
        derivation = derive(
            dict(entry.definitions),
            of=entry.of,
            wrt=entry.wrt,
            shapes=entry.shapes,
            functions=entry.functions,
        )
    except ShapeError as error:
        return Exhibit(*shared, None, error=str(error), refused=entry.fails == "shape")
    checks = [
        Checked(
            f"{claim.wrt}: {claim.text}" if claim.wrt else claim.text,
            check(derivation, {claim.wrt: claim.text} if claim.wrt else claim.text),
            claim.right,
            claim.correction,
            claim.note,
            claim.printed,
        )
        for claim in entry.claims
    ]
    if entry.by_hand is not None:
        body = inspect.getsource(entry.by_hand).strip().splitlines()
        shown = body[-1].strip().removeprefix("return ")
        checks.append(
            Checked(
                f"{entry.by_hand.__name__}: {shown}",
                check(derivation, entry.by_hand),
                True,
                note="The same derivative as NumPy code.",
            )
        )
    return Exhibit(*shared, derivation, checks=tuple(checks), refused=bool(entry.fails))


def code_exhibit(seed: int = 0) -> Exhibit:
    """The page's cost as NumPy code, untouched: traced, derived, and its six Jacobians checked."""
    rng = np.random.default_rng(seed)
    Ws, bs = network.parameters(WIDTHS, rng)
    x, y = heart(100)
    pick = np.arange(SAMPLES) * (100 // SAMPLES) + 3
    point = {"x": x[:, pick], "y": y[:, pick]}
    names = [f"{kind}{k}" for kind in "Wb" for k in (1, 2, 3)]
    with _weights(Ws, bs):
        derivation = derive_any(lecture.cost, at=point, wrt=names)
        verdict = check(lecture.cost, {n: getattr(lecture, f"J_{n}") for n in names}, at=point)
    checks = tuple(
        Checked(f"J_{n}", Verdict(f"J_{n}", {n: verdict.findings[n]}), True) for n in names
    )
    return Exhibit(
        "lecture.cost",
        "The network's cost and its six Jacobians, as NumPy code",
        "backpropagation practice",
        "The code as it stands, weights in globals: what it computes, its derivative, and what was "
        "written by hand.",
        (),
        derivation,
        checks=checks,
    )


@contextmanager
def _weights(Ws: Sequence[Any], bs: Sequence[Any]) -> Iterator[None]:
    """The lecture's globals, for as long as this lasts."""
    names = [f"{kind}{k}" for kind in "Wb" for k in (1, 2, 3)]
    before = {name: getattr(lecture, name) for name in names}
    try:
        for name, value in zip(names, [*Ws, *bs], strict=True):
            setattr(lecture, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(lecture, name, value)


def lecture_gradients(
    x: np.ndarray, y: np.ndarray, Ws: Sequence[Any], bs: Sequence[Any]
) -> dict[str, Any]:
    """The page's J_W1 … J_b3, with its globals bound to these weights for the call."""
    with _weights(Ws, bs):
        return {
            f"{kind}{k}": getattr(lecture, f"J_{kind}{k}")(x, y) for kind in "Wb" for k in (1, 2, 3)
        }


def _chain(name: str, depth: int) -> str:
    """∂C/∂W¹ = ∂C/∂a³ ∂a³/∂z³ ∂z³/∂a² ⋯ as LaTeX."""

    def quotient(top: str, bottom: str) -> str:
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"

    layer = int(name[1:])
    parts = [quotient("C", f"a_{{{depth}}}")]
    for k in range(depth, layer, -1):
        parts += [quotient(f"a_{{{k}}}", f"z_{{{k}}}"), quotient(f"z_{{{k}}}", f"a_{{{k - 1}}}")]
    parts += [
        quotient(f"a_{{{layer}}}", f"z_{{{layer}}}"),
        quotient(f"z_{{{layer}}}", f"{name[0]}_{{{layer}}}"),
    ]
    return " ".join(parts)


def network_exhibit(seed: int = 0) -> NetworkExhibit:
    """The page's six Jacobians, in the page's own style, against the derived ones."""
    sigmoid = ACTIVATIONS["sigmoid"]
    derived_side = Network(WIDTHS, sigmoid.formula)
    rng = np.random.default_rng(seed)
    Ws, bs = network.parameters(WIDTHS, rng)
    x, y = heart(100)
    pick = np.arange(SAMPLES) * (100 // SAMPLES) + 3
    compared = compare(derived_side, lecture_gradients, x[:, pick], y[:, pick], Ws, bs, name="J_{}")
    derived, gaps = compared.derived, compared.gaps
    assert derived is not None  # a smooth network has a derivative everywhere
    rows = []
    for kind in ("W", "b"):
        for k in (1, 2, 3):
            key = f"{kind}{k}"
            label = f"J_{key}"
            rows.append(
                NetworkRow(
                    label,
                    key,
                    derived.shapes[key],
                    _chain(key, len(WIDTHS) - 1),
                    Verdict(label, {label: compared.verdict.findings[label]}),
                    float(np.max(gaps[key])),
                    float(np.max(np.abs(derived.floats(key)))),
                    gaps[key],
                )
            )
    local = []
    for k in range(len(WIDTHS) - 1, 0, -1):
        m, n = WIDTHS[k], WIDTHS[k - 1]
        step, squash = linear(m, n), activation_layer(sigmoid.formula, m)
        if k == len(WIDTHS) - 1:
            shape = cost(m).blocks["C", "a"].shape
            local.append((_d("C", f"a_{k}"), show_shape(shape), "the cost of one sample"))
        local.append(
            (
                _d(f"a_{k}", f"z_{k}"),
                show_shape(squash.blocks["a", "z"].shape),
                "the activation, diagonal",
            )
        )
        for used in ("W", "b", "a"):
            below = f"a_{k - 1}" if used == "a" else f"{used}_{k}"
            says = {
                "W": "the weights, row by row",
                "b": "the biases, the identity",
                "a": "the layer below, W itself",
            }[used]
            if not (used == "a" and k == 1):
                shape = step.blocks["z", used].shape
                local.append((_d(f"z_{k}", below), show_shape(shape), says))
    return NetworkExhibit(WIDTHS, SAMPLES, "sigmoid", tuple(rows), tuple(local))


def _d(top: str, bottom: str) -> str:
    return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"


def training(iterations: int = ITERATIONS, seed: int = 3) -> Training:
    """Gradient descent on the heart curve, with the gallery's gradients."""
    sigmoid = ACTIVATIONS["sigmoid"]
    x, y = heart(100)
    Ws, bs = network.parameters(WIDTHS, np.random.default_rng(seed))
    curves: dict[int, np.ndarray] = {}
    history: list[tuple[int, float]] = []
    done = 0
    for stop in [s for s in SHOWN if s < iterations] + [iterations]:
        if stop > done:
            every = max(1, (stop - done) // 40)
            Ws, bs, part = network.descend(
                x, y, Ws, bs, sigmoid, RATE, stop - done, record_every=every
            )
            history += [(done + i, c) for i, c in part if not history or i]
            done = stop
        curves[done] = network.forward(x, Ws, bs, sigmoid)[1][-1]
    return Training(WIDTHS, RATE, x, y, curves, tuple(history))


def exhibition(say: Say = lambda line: None, iterations: int = ITERATIONS) -> Exhibition:
    """Everything in the gallery, derived, checked and trained.

    say : is told, in a line, what is being done.
    """
    shown: dict[str, list[Exhibit]] = {"entries": [], "misprints": [], "narrow": []}
    groups = (("entries", page.ENTRIES), ("misprints", page.MISPRINTS), ("narrow", page.NARROW))
    total = sum(len(entries) for _, entries in groups)
    number = 0
    for group, entries in groups:
        for entry in entries:
            number += 1
            say(f"[{number}/{total}] {entry.title}")
            shown[group].append(exhibit(entry))
    say("the network's code, as it stands")
    code = (code_exhibit(),)
    say("the network of the page, six Jacobians")
    compared = network_exhibit()
    say(f"training on the heart curve, {iterations:,} iterations")
    trained = training(iterations)
    packages = ("sympy", "numpy", "python-flint", "matplotlib", "latex2mathml")
    return Exhibition(
        "The multivariate chain rule, verified",
        tuple(shown["entries"]),
        tuple(shown["misprints"]),
        tuple(shown["narrow"]),
        code,
        compared,
        trained,
        {
            "chainrule": version("chainrule"),
            "Python": platform.python_version(),
            **{p: version(p) for p in packages},
        },
    )
