"""`chainrule.derive` of NumPy code: the gallery, Jacobians, second derivatives, formulas, pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

import chainrule as cr
from chainrule.errors import ShapeError, TraceError, UsageError
from chainrule.gallery import lecture, network
from chainrule.gallery.activations import ACTIVATIONS

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(1, 9)), RNG.normal(size=(2, 9))
SIX = ("W1", "b1", "W2", "b2", "W3", "b3")


def close(found: Any, expected: Any, ulps: float = 2**12) -> bool:
    """Equal to rounding, of the largest entry."""
    scale = float(np.max(np.abs(expected), initial=1e-300))
    return np.shape(found) == np.shape(expected) and bool(
        np.max(np.abs(np.asarray(found) - expected), initial=0.0) <= ulps * 2.0**-53 * scale
    )


# ---- the gallery, untouched ----------------------------------------------------------------------


def test_the_page() -> None:
    """All six gradients of the lecture's cost equal its J_W1 … J_b3 to rounding, also at other
    points and batch sizes, with weights that are trained or saturated."""
    d = cr.derive(lecture.cost, at={"x": X, "y": Y}, wrt=SIX)
    lowered = d.lower()
    kept = {n: getattr(lecture, n) for n in SIX}
    for scale, count in ((1.0, 9), (30.0, 4), (1e-3, 1)):
        point = {"x": RNG.normal(size=(1, count)), "y": RNG.normal(size=(2, count))}
        weights = {n: scale * RNG.normal(size=v.shape) for n, v in kept.items()}
        try:
            for n, v in weights.items():
                setattr(lecture, n, v)
            with np.errstate(all="ignore"):
                expected = {n: getattr(lecture, f"J_{n}")(**point) for n in SIX}
        finally:
            for n, v in kept.items():
                setattr(lecture, n, v)
        found = lowered({**point, **weights})
        for n in SIX:
            finite = np.isfinite(expected[n])
            assert close(found[n][finite], expected[n][finite]), (n, scale)
    assert all(getattr(lecture, n) is v for n, v in kept.items())


def test_the_page_is_printed_as_on_the_page() -> None:
    """∂C/∂W3 = 2/N ((a3 − y) ⊙ σ'(z3)) a2ᵀ, with x.size for N: n0·N."""
    d = cr.derive(lecture.cost, at={"x": X, "y": Y}, wrt=SIX)
    assert d["W3"].formula == "2/(N·n0) ((a3 - y) ⊙ σ'(z3)) a2ᵀ"
    assert d["b3"].formula == "2/(N·n0) ((a3 - y) ⊙ σ'(z3)) 𝟏"
    assert [d[n].shape for n in ("W1", "W2", "W3")] == ["(n1×n0)", "(n2×n1)", "(n3×n2)"]
    assert d.adjoint("z3").formula == "2/(N·n0) (a3 - y) ⊙ σ'(z3)"
    lines = [line.text for step in d.steps for line in step.lines]
    assert "∂cost/∂z2 = ∂cost/∂a2 ⊙ σ'(z2)" in lines
    assert "cost = 1/(N·n0) ‖a3 - y‖²" in lines
    assert r"{W_{3}}" in d["W2"].latex or "W_{3}" in d["W2"].latex


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gallerys_network(name: str) -> None:
    """`network.cost`, with lists of weights and an activation in a dataclass."""
    Ws, bs = network.parameters([1, 6, 7, 2], np.random.default_rng(1))
    act = ACTIVATIONS[name]
    at = {"x": X, "y": Y, "Ws": Ws, "bs": bs, "activation": act}
    d = cr.derive(network.cost, at=at, wrt=("Ws", "bs"))
    assert d.wrt == ("Ws[0]", "Ws[1]", "Ws[2]", "bs[0]", "bs[1]", "bs[2]")
    dWs, dbs = network.gradients(X, Y, Ws, bs, act)
    found = d.evaluate()
    for k in range(3):
        assert close(found[f"Ws[{k}]"], dWs[k]) and close(found[f"bs[{k}]"], dbs[k])
    assert d["Ws[1]"].shape == "(n2×n1)"


# ---- arrays, second derivatives ------------------------------------------------------------------


def layer(W: Any, x: Any) -> Any:
    """tanh of a product."""
    return np.tanh(W @ x)


def test_jacobians_of_array_outputs() -> None:
    """Of the shape output + input, for other sizes too."""
    d = cr.derive(layer, at={"W": RNG.normal(size=(3, 2)), "x": RNG.normal(size=2)})
    for m, n in ((3, 2), (1, 4), (5, 1)):
        W, x = RNG.normal(size=(m, n)), RNG.normal(size=n)
        found = d.evaluate(W=W, x=x)
        slope = 1 - np.tanh(W @ x) ** 2
        assert close(found["x"], slope[:, None] * W)
        assert close(found["W"], np.einsum("i,ij,k->ijk", slope, np.eye(m), x))
    assert d["x"].shape == "(m×n)" or len(d["x"].shape) > 3


def test_several_outputs() -> None:
    """By their keys; `of` picks one."""

    def both(x: Any) -> Any:
        return {"loss": np.sum(x**2), "size": np.sum(np.abs(x))}

    x = np.array([1.0, -2.0])
    d = cr.derive(both, at={"x": x}, wrt="x")
    assert d.of == ("loss", "size")
    assert d["loss", "x"].evaluate().tolist() == [2.0, -4.0]
    assert d["size", "x"].evaluate().tolist() == [1.0, -1.0]
    assert cr.derive(both, at={"x": x}, wrt="x", of="size")["x"].evaluate().tolist() == [1.0, -1.0]
    with pytest.raises(UsageError, match="returns nothing named 'gain'"):
        cr.derive(both, at={"x": x}, wrt="x", of="gain")


def test_second_derivatives() -> None:
    """The Hessian, and the Hessian times a vector, of an installed function."""
    optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")
    x, v = np.array([1.3, 0.7, 0.8, 1.9]), np.array([1.0, -2.0, 0.5, 3.0])
    d = cr.derive(optimize.rosen, at={"x": x}, wrt="x")
    assert close(d["x"].evaluate(), optimize.rosen_der(x))
    assert close(d.hessian("x").evaluate(), optimize.rosen_hess(x))
    assert close(d.hessian("x").evaluate(x=x[:3]), optimize.rosen_hess(x[:3]))
    assert close(d.hvp({"x": v})["x"], optimize.rosen_hess_prod(x, v))
    with pytest.raises(UsageError, match="one scalar output"):
        cr.derive(layer, at={"W": np.eye(2), "x": x[:2]}).hessian("x")


# ---- other forms ---------------------------------------------------------------------------------


def test_components_are_those_of_sympy() -> None:
    """`to_sympy` of the gradient is `sympy.diff` of `to_sympy` of the function, at small shapes."""

    def f(W: Any, x: Any) -> Any:
        return np.sum(np.exp(W @ x) / (1 + x[0] ** 2))

    d = cr.derive(f, at={"W": np.ones((3, 2)), "x": np.ones(2)}, wrt=("W", "x"))
    from chainrule.graph.lowering.components import to_sympy

    value = to_sympy(d.trace.outputs["f"], {"W": (2, 2), "x": (2,)})
    found = d["W"].to_sympy({"W": (2, 2), "x": (2,)})
    for i in range(2):
        for j in range(2):
            (symbol,) = [s for s in value.free_symbols if str(s) == f"W[{i},{j}]"]
            assert sp.simplify(found[i, j] - sp.diff(value, symbol)) == 0


def test_the_source_runs_by_itself() -> None:
    """What is printed can be pasted: it gives the same numbers without chainrule."""
    d = cr.derive(lecture.cost, at={"x": X, "y": Y}, wrt=SIX)
    space: dict[str, Any] = {}
    exec(d.source, space)
    found = space["d_cost"](X, Y, **{n: getattr(lecture, n) for n in SIX})
    for n in SIX:
        assert close(found[n], getattr(lecture, f"J_{n}")(X, Y))
    assert "chainrule" not in d.source.split('"""')[-1]


def test_pages(tmp_path: Path) -> None:
    """A report of code shows formulas, steps with shapes, and the source; no raw TeX is left."""
    d = cr.derive(lecture.cost, at={"x": X, "y": Y}, wrt=SIX)
    cr.report(d, tmp_path / "cost.html")
    cr.report(d, tmp_path / "cost.md")
    page = (tmp_path / "cost.html").read_text(encoding="utf-8")
    assert "A derivative of code" in page and "def d_cost(" in page and "(n3×n2)" in page
    body = page.split("<main>")[1].split("<pre>")[0]
    assert "\\odot" not in body and "\\frac" not in body
    assert "\\odot" in (tmp_path / "cost.md").read_text(encoding="utf-8")


# ---- what is refused -----------------------------------------------------------------------------


def test_points_off_the_path_and_shapes_that_do_not_fit() -> None:
    """Refused with what no longer holds."""

    def bent(x: Any) -> Any:
        return np.sum(x**2) if np.sum(x) > 0 else np.sum(x**3)

    d = cr.derive(bent, at={"x": np.array([1.0, 2.0])}, wrt="x")
    with pytest.raises(TraceError, match=r"np\.sum\(x\) > 0 is true no longer holds"):
        d.lower()(x=np.array([-1.0, 0.5]))
    with pytest.raises(ShapeError, match=r"x has the shape \(2, 2\); it needs \(n\)"):
        d.lower()(x=np.ones((2, 2)))
    with pytest.raises(UsageError, match="x is missing"):
        d.lower()()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cr.derive(layer, at={"W": np.eye(2), "x": np.ones(2)}, wrt="Q"), "Q is neither"),
        (lambda: cr.derive(layer, at=3, wrt="x"), "give a point"),  # type: ignore[call-overload]
        (lambda: cr.derive(lambda n: 2 * n, at={"n": np.arange(3)}), "no real input"),
        (lambda: cr.derive({"f": "x"}, of="f", wrt="x", at={}), "formulas need no point"),
        (lambda: cr.derive({"f": "x"}, of="f", wrt=None), "wrt= is missing"),
        (lambda: cr.derive(layer, at={}, functions=["f"]), "speak of formulas"),
        (lambda: cr.derive(layer(np.eye(2), np.ones(2)), at={}, wrt="x"), "code"),
    ],
)
def test_calls_that_make_no_sense(call: Any, says: str) -> None:
    """Each names the thing and says what to do."""
    with pytest.raises(UsageError, match=says):
        call()


def test_an_intermediate_name_that_is_not_there() -> None:
    """The names that there are, are listed."""
    d = cr.derive(lecture.cost, at={"x": X, "y": Y}, wrt=SIX)
    with pytest.raises(UsageError, match=r"names nothing 'z9'; it names .*z1"):
        d.adjoint("z9")
