"""The laws of the page: every derivation and claim of the gallery comes out as the page says.

Each entry is derived and checked as the report does it, by `exhibition.exhibit`; the numbers of
whole networks are compared with HIPS autograd.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
import pytest
import sympy as sp

import chainrule as cr
from chainrule.exhibition import Exhibit, exhibit
from chainrule.gallery import page

ALL = {e.key: e for e in (*page.ENTRIES, *page.MISPRINTS, *page.NARROW)}
RIGHT = [e.key for e in page.ENTRIES]


@functools.cache
def shown(key: str) -> Exhibit:
    return exhibit(ALL[key])


def derivation(key: str) -> cr.Derivation:
    found = shown(key).derivation
    assert found is not None
    return found


def lines(d: cr.Derivation, kind: str) -> list[str]:
    return [line.text for s in d.steps if s.kind == kind for line in s.lines]


def notes(d: cr.Derivation, kind: str) -> list[str]:
    return [line.note for s in d.steps if s.kind == kind for line in s.lines]


def second_route(d: cr.Derivation) -> str:
    return d.steps[-1].says


def verdicts(key: str) -> list[cr.Verdict]:
    return [c.verdict for c in shown(key).checks]


# ---- every entry ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ALL)
def test_entry_comes_out_as_the_gallery_expects(key: str) -> None:
    """Right claims and code are proved, misprints are refuted, and only one is an error."""
    found = shown(key)
    assert found.as_expected
    assert bool(found.error) == (key == "misprint-size")
    for check in found.checks:
        if check.right and check.verdict.findings:
            assert check.verdict.status == "proved"


@pytest.mark.parametrize("key", [k for k in ALL if k != "misprint-size"])
def test_entry_is_written_up_in_full(key: str) -> None:
    """Definitions, partials, the result, conditions and a second route that agrees, in order."""
    d = derivation(key)
    kinds = [s.kind for s in d.steps]
    wanted = ["definitions", "partials", "substitution", "conditions", "second route"]
    assert [k for k in kinds if k in wanted] == wanted
    assert second_route(d).startswith("Both routes agree")
    for step in d.steps:
        for line in step.lines:
            for stray in ("Subs", "Derivative", "_xi", "0·", "((("):
                assert stray not in line.text, line.text
            assert "xi" not in line.latex and line.latex


@pytest.mark.parametrize("key", [k for k in RIGHT if ALL[k].claims])
def test_claims_of_the_page_are_proved(key: str) -> None:
    """What the page prints right has the normal form of the derivative."""
    assert {v.status for v in verdicts(key)} <= {"proved", "agrees"}
    assert verdicts(key)[0].status == "proved"


# ---- the total derivative ------------------------------------------------------------------------


def test_total_derivative_collapses() -> None:
    """sin(x) exp(y z²) along (t − 1, t², 1/t) is e·cos(t − 1), for t ≠ 0, and it is said why."""
    d = derivation("total-derivative")
    t = sp.Symbol("t", real=True)
    assert d.result == sp.E * sp.cos(t - 1)
    assert d.conditions == (sp.Ne(t, 0),)
    assert lines(d, "conditions") == ["t ≠ 0"]
    assert lines(d, "remark") == [
        "y*z**2 = 1",
        "f = E*sin(t - 1)",
        "the terms through y and z cancel",
    ]
    assert "it does not change with t" in notes(d, "remark")
    assert lines(d, "paths")[0] == "df/dt = ∂f/∂x dx/dt + ∂f/∂y dy/dt + ∂f/∂z dz/dt"
    assert second_route(d) == "Both routes agree: exact algebra proves it."
    assert verdicts("total-derivative")[0].findings["df/dt"].scope.conditions == ("t ≠ 0",)


def test_total_derivative_of_any_function() -> None:
    """df/dt = J_f dx/dt: a row times a column, an inner product of three terms."""
    d = derivation("general")
    assert lines(d, "product")[0] == "df/dt = ∂f/∂x · dx/dt"
    assert notes(d, "product")[0] == "(1×1) = (1×3)(3×1)"
    assert lines(d, "paths")[1] == "df/dt = ∂f/∂x1·x1'(t) + ∂f/∂x2·x2'(t) + ∂f/∂x3·x3'(t)"


def test_both_routes_of_the_univariate_chain() -> None:
    """(5)(−1)(2t) = −10t; and 5 − 5t² differentiated is the same."""
    d, direct = derivation("univariate"), derivation("univariate-substituted")
    assert d.result == direct.result == -10 * sp.Symbol("t", real=True)
    assert lines(d, "product") == ["df/dt = df/dx · dx/du · du/dt", "df/dt = 5 · (-1) · (2*t)"]
    assert lines(d, "second route") == ["f = 5 - 5*t**2", "df/dt = -10*t"]


# ---- two vectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["two-vectors-undefined", "two-vectors-concrete"])
def test_two_vectors_have_the_shapes_of_the_page(key: str) -> None:
    """f(x(u(t))): (1×1) = (1×2)(2×2)(2×1), each factor a Jacobian."""
    d = derivation(key)
    assert lines(d, "product")[0] == "df/dt = ∂f/∂x · ∂x/∂u · du/dt"
    assert notes(d, "product")[0] == "(1×1) = (1×2)(2×2)(2×1)"
    assert [f.shape for f in d.factors] == [(1, 2), (2, 2), (2, 1)]


def test_two_vectors_have_four_paths() -> None:
    """With undefined components: four paths, three factors each, written ∂x1/∂u1 as such."""
    d = derivation("two-vectors-undefined")
    right = lines(d, "paths")[0].split(" = ")[1]
    assert sorted(right.split(" + ")) == sorted(
        f"∂f/∂x{i} ∂x{i}/∂u{j} du{j}/dt" for i in (1, 2) for j in (1, 2)
    )
    assert lines(d, "partials")[1] == "∂x/∂u = [[∂x1/∂u1, ∂x1/∂u2], [∂x2/∂u1, ∂x2/∂u2]]"


# ---- neurons and layers --------------------------------------------------------------------------


def test_one_neuron() -> None:
    """∂C/∂w = ∂C/∂a ∂a/∂z ∂z/∂w = 2(a − y) σ′(z) a₀, and ∂C/∂b the same without a₀."""
    d = derivation("one-neuron")
    assert lines(d, "product")[0] == "∂C/∂(w, b) = ∂C/∂a · da/dz · ∂z/∂(w, b)"
    assert lines(d, "simplification") == [
        "∂C/∂w = 2*a0*(a - y)*sigma'(z)",
        "∂C/∂b = 2*(a - y)*sigma'(z)",
    ]
    latex = [line.latex for s in d.steps if s.kind == "simplification" for line in s.lines]
    assert latex[1] == (
        r"\frac{\partial C}{\partial b} = 2 \left(a - y\right) \sigma'\left(z\right)"
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_neuron_of_n_inputs(n: int) -> None:
    """∂C/∂w is (1×n): the entries are those of one input, each with its own a₀ᵢ."""
    found = exhibit(page.neuron(n))
    assert found.as_expected and found.derivation is not None
    d = found.derivation
    a, y, z = (sp.Symbol(s, real=True) for s in "ayz")
    slope = sp.Function("sigma", real=True)(z).diff(z)
    inputs = [sp.Symbol(f"a0[{i}]", real=True) for i in range(n)]
    assert d["w"].shape == (1, n) and d["b"].shape == (1, 1)
    for entry, a0 in zip(d["w"].matrix, inputs, strict=True):
        assert sp.expand(entry - 2 * (a - y) * slope * a0) == 0
    assert sp.expand(d["b"].matrix[0, 0] - 2 * (a - y) * slope) == 0
    assert second_route(d).startswith("Both routes agree: exact algebra proves it.")


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 3), (2, 3), (4, 2)])
def test_layer_of_m_neurons_on_n_inputs(m: int, n: int) -> None:
    """∂C/∂W[i,j] = 2 (aᵢ − yᵢ) σ′(zᵢ) a₀ⱼ, in the shape of W; ∂C/∂b[i] without a₀."""
    found = exhibit(page.layer(m, n))
    assert found.as_expected and found.derivation is not None
    d = found.derivation

    def s(name: str) -> sp.Symbol:
        return sp.Symbol(name, real=True)

    sigma = sp.Function("sigma", real=True)
    for i in range(m):
        slope = sigma(s(f"z[{i}]")).diff(s(f"z[{i}]"))
        delta = 2 * (s(f"a[{i}]") - s(f"y[{i}]")) * slope
        assert sp.expand(d["b"].matrix[0, i] - delta) == 0
        for j in range(n):
            assert sp.expand(d["W"].result[i, j] - delta * s(f"a0[{j}]")) == 0
    assert d["W"].result.shape == (m, n)


WIDTHS = [(1, 1), (3, 2), (2, 3, 1), (1, 2, 3, 2), (1, 2, 1, 2, 1)]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_layers_chain_from_the_cost_down(widths: tuple[int, ...]) -> None:
    """L layers, σ undefined: every weight has one path, ∂C/∂a_L ∂a_L/∂z_L ⋯ ∂z_k/∂W_k."""
    found = exhibit(page.layers(widths))
    assert found.as_expected and found.derivation is not None
    d, L = found.derivation, len(widths) - 1
    text = "\n".join((*lines(d, "paths"), *lines(d, "product")))
    for k in range(1, L + 1):
        assert d[f"W{k}"].result.shape == (widths[k], widths[k - 1])
        assert d[f"b{k}"].shape == (1, widths[k])
        if L == 1:
            continue
        steps = "".join(f"∂a{j}/∂z{j} ∂z{j}/∂a{j - 1} " for j in range(L, k, -1))
        assert f"∂C/∂W{k} = ∂C/∂a{L} {steps}∂a{k}/∂z{k} ∂z{k}/∂W{k}" in text.replace("da", "∂a")


ACTIVATIONS = {"tanh(z)": "tanh", page.SIGMOID: "sigmoid", "log(1 + exp(z))": "softplus"}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", [(1, 1), (3, 2), (1, 2, 3, 2)], ids=str)
def test_numbers_of_layers_are_those_of_autograd(widths: tuple[int, ...], activation: str) -> None:
    """Every gradient of a concrete network, at a random point, is autograd's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import autograd.numpy as anp  # type: ignore[import-untyped]
        from autograd import grad  # type: ignore[import-untyped]

        squash = {
            "tanh": anp.tanh,
            "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
            "softplus": lambda z: anp.log(1 + anp.exp(z)),
        }[ACTIVATIONS[activation]]
        entry = page.layers(widths, activation)
        d = cr.derive(dict(entry.definitions), of="C", wrt=entry.wrt, shapes=entry.shapes)
        rng = np.random.default_rng(sum(widths))
        at = {n: rng.standard_normal(s) for n, s in entry.shapes.items()}

        def cost(weights: dict[str, Any]) -> Any:
            a = at["a0"]
            for k in range(1, len(widths)):
                a = squash(weights[f"W{k}"] @ a + weights[f"b{k}"])
            return anp.sum((a - at["y"]) ** 2)

        expected = grad(cost)({n: at[n] for n in entry.wrt})
    row = d.evaluate(**at)
    start = 0
    for name in entry.wrt:
        size = at[name].size
        found = row[0, start : start + size].reshape(at[name].shape)
        np.testing.assert_allclose(found, expected[name], rtol=1e-11, atol=1e-14)
        start += size


# ---- misprints -----------------------------------------------------------------------------------


def test_misprinted_sigmoid_is_refuted() -> None:
    """σ(z) = 1/exp(−z) is exp(z): the printed derivative is not its own, and where is shown."""
    (verdict,) = verdicts("misprint-sigmoid")
    (finding,) = verdict.findings.values()
    assert finding.status == "refuted" and finding.witness is not None
    assert finding.correction == "exp(z)"
    assert finding.witness.where == "interior" and "z" in finding.witness.point
    assert finding.witness.claimed != finding.witness.derived
    assert shown("misprint-sigmoid").checks[0].correction == f"s = {page.SIGMOID}"
    assert verdicts("sigmoid")[0].status == "proved"


@pytest.mark.parametrize("N", [2, 3, 5])
def test_misprinted_cost_is_refuted(N: int) -> None:
    """2(a − y) has lost the 1/N of C = (1/N) Σ C_k; with it, it is proved."""
    wrong, right = (exhibit(e) for e in page.mean_cost(N))
    assert wrong.as_expected and right.as_expected
    (finding,) = wrong.checks[0].verdict.findings.values()
    assert finding.status == "refuted" and finding.witness is not None
    entries = ", ".join(
        f"2*(a[{i}] - y[{i}])/{N}" if N != 2 else f"a[{i}] - y[{i}]" for i in range(N)
    )
    assert finding.correction == f"[[{entries}]]"
    assert right.checks[0].verdict.status == "proved"


@pytest.mark.parametrize(("before", "after"), [(3, 2), (1, 4), (5, 3)])
def test_misprinted_size_is_refused(before: int, after: int) -> None:
    """W of n_{L−1}×n_L in W a + b is an error that names both shapes; the transpose derives."""
    wrong, right = (exhibit(e) for e in page.weight_size(before, after))
    assert wrong.refused and wrong.derivation is None and wrong.as_expected
    assert f"({before}×{after})" in wrong.error and f"({before}×1)" in wrong.error
    assert f"the inner sizes {after} and {before} differ" in wrong.error
    assert right.checks[0].verdict.status == "proved" and right.as_expected


# ---- right, but not as far as it looks -----------------------------------------------------------


def test_x_size_is_n_only_with_one_row() -> None:
    """Dividing by x.size is dividing by N while n0 = 1; else the gradient is refuted."""
    assert verdicts("narrow-x-size-one-row")[0].status == "proved"
    (finding,) = verdicts("narrow-x-size")[0].findings.values()
    assert finding.status == "refuted" and finding.witness is not None
    assert finding.correction is not None and "n0" in finding.correction


def test_d_sigma_is_right_and_its_code_fails() -> None:
    """exp(−z)/(exp(−z)+1)² is proved as a formula; in float64 it is nan for z ≤ −709.78."""
    formula, code = verdicts("narrow-d-sigma")
    assert formula.status == "proved" and formula.ok
    (finding,) = code.findings.values()
    assert code.status == "proved" and finding.code is not None
    assert finding.code.status == "fails"
    assert "z ≤ −709.78" in finding.code.summary and "nan" in finding.code.summary
