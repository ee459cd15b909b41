"""The usual ways to write a backward pass: right ones are right, wrong ones are shown, and all that
is said is said in the user's words.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DerivativeError, UsageError
from tests.gradients import layers, models, recurrent, styled

RNG = np.random.default_rng(7)


def draw(*shape: int) -> Any:
    return RNG.normal(size=shape)


@dataclass(frozen=True)
class Style:
    """One way to write it.

    claim : module → the claim. names : of the findings. wrong : (what is wrong, Class.method or
    function, text, what stands there instead, what the verdict must say).
    """

    id: str
    claim: Callable[[Any], cr.Claim]
    at: Mapping[str, Any]
    names: tuple[str, ...]
    wrong: tuple[tuple[str, str, str, str, str], ...] = ()


X42, D = draw(4, 2), draw(2, 3)
LABELS = np.array([0, 2, 1])

STYLES = [
    Style(
        "affine, a tuple",
        lambda m: cr.pair(m.affine_forward, m.affine_backward),
        {"x": X42, "w": D, "b": draw(3)},
        ("affine_backward[0]", "affine_backward[1]", "affine_backward[2]"),
        (
            (
                "a forgotten transposition",
                "affine_backward",
                "dout.dot(w.T)",
                "dout.dot(w.T[:, ::-1])",
                "affine_backward[0] is wrong",
            ),
            (
                "the sum over the wrong axis",
                "affine_backward",
                "np.sum(dout, axis=0)",
                "np.sum(dout, axis=1)",
                "affine_backward[2] has the shape (4), and dout · ∂affine_forward/∂b has (3)",
            ),
            (
                "mean for sum",
                "affine_backward",
                "np.sum(dout, axis=0)",
                "np.mean(dout, axis=0)",
                "affine_backward[2] is wrong",
            ),
            (
                "the cache overwritten in place",
                "affine_backward",
                "    db = ",
                "    dout *= 0.5\n    db = ",
                "affine_backward[2] is wrong",
            ),
            (
                "the weights overwritten in place before they are used",
                "affine_backward",
                "    dx = ",
                "    w -= 0.1 * x.T.dot(dout)\n    dx = ",
                "affine_backward[0] is wrong",
            ),
        ),
    ),
    Style(
        "relu, one array",
        lambda m: cr.pair(m.relu_forward, m.relu_backward),
        {"x": X42},
        ("relu_backward",),
        (
            ("no mask", "relu_backward", "(cache > 0)", "cache", "relu_backward is wrong"),
            ("the mask of dout", "relu_backward", "(cache > 0)", "(dout > 0)", "is wrong"),
        ),
    ),
    Style(
        "layer norm, a dict in and out",
        lambda m: cr.pair(m.layernorm_forward, m.layernorm_backward),
        {"x": X42, "gamma": draw(2), "beta": draw(2), "ln_param": {}},
        ('layernorm_backward["dx"]', 'layernorm_backward["dgamma"]', 'layernorm_backward["dbeta"]'),
        (
            (
                "a forgotten term",
                "layernorm_backward",
                " - xhat * (g * xhat).mean(axis=1, keepdims=True)",
                "",
                'layernorm_backward["dx"] is wrong',
            ),
            (
                "dgamma without the normalized x",
                "layernorm_backward",
                "(dout * xhat).sum(axis=0)",
                "dout.sum(axis=0)",
                'layernorm_backward["dgamma"] is wrong',
            ),
        ),
    ),
    Style(
        "linear, names in an order of their own",
        lambda m: cr.pair(m.linear_forward, m.linear_backward),
        {"A_prev": draw(3, 4), "W": draw(2, 3), "b": draw(2, 1)},
        ("linear_backward[0]", "linear_backward[1]", "linear_backward[2]"),
        (
            (
                "divided by m, which belongs to the cost",
                "linear_backward",
                "dZ @ A_prev.T",
                "dZ @ A_prev.T / m",
                "linear_backward[1] is wrong",
            ),
            (
                "keepdims forgotten",
                "linear_backward",
                ", keepdims=True",
                "",
                "linear_backward[0] has the shape (2), and dZ · ∂linear_forward/∂b has (2×1)",
            ),
        ),
    ),
    Style(
        "two layers, (dx, grads)",
        lambda m: cr.pair(m.mlp_forward, m.mlp_backward),
        {"X": X42, "params": {"W1": D, "b1": draw(3), "W2": draw(3, 2)}},
        (
            'mlp_backward[1]["W2"]',
            'mlp_backward[1]["b1"]',
            'mlp_backward[1]["W1"]',
            "mlp_backward[0]",
        ),
        (
            (
                "the slope at z for the slope at a",
                "mlp_backward",
                "(1 - a1**2)",
                "(1 - np.tanh(a1) ** 2)",
                'mlp_backward[1]["W1"] is wrong',
            ),
            (
                "the derivative by a, not by z",
                "mlp_backward",
                " * (1 - a1**2)",
                "",
                'mlp_backward[1]["b1"] is wrong',
            ),
        ),
    ),
    Style(
        "attention scores, residuals first, a dataclass",
        lambda m: cr.pair(m.scores_forward, m.scores_backward),
        {"q": X42, "k": draw(3, 2)},
        ("scores_backward[0]", "scores_backward[1]"),
        (
            (
                "the scale forgotten",
                "scores_backward",
                " / np.sqrt(residuals.q.shape[-1])",
                "",
                "scores_backward[0] is wrong",
            ),
            (
                "cotangent and cache swapped within",
                "scores_backward",
                "(g * p).sum(axis=-1",
                "(p * p).sum(axis=-1",
                "scores_backward[1] is wrong",
            ),
        ),
    ),
    Style(
        "no cache, a named tuple",
        lambda m: cr.pair(m.scale_forward, m.scale_backward),
        {"x": X42, "s": draw(2)},
        ("scale_backward.dx", "scale_backward.ds"),
        (
            (
                "the sum over the rows forgotten",
                "scale_backward",
                "(dy * x).sum(axis=0)",
                "dy * x",
                "scale_backward.ds has the shape (4×2)",
            ),
        ),
    ),
    Style(
        "a loss with a cache, no cotangent",
        lambda m: cr.pair(m.softmax_loss_forward, m.softmax_loss_backward),
        {"x": draw(3, 4), "y": LABELS},
        ("softmax_loss_backward",),
        (
            (
                "the mean forgotten",
                "softmax_loss_backward",
                "return dx / dx.shape[0]",
                "return dx",
                "softmax_loss_backward is wrong",
            ),
            (
                "the label's own entry forgotten",
                "softmax_loss_backward",
                "    dx[np.arange(dx.shape[0]), y] -= 1\n",
                "",
                "softmax_loss_backward is wrong",
            ),
        ),
    ),
    Style(
        "several values for a cache, by name",
        lambda m: cr.pair(m.gated_forward, m.gated_backward),
        {"x": X42, "U": D, "V": draw(2, 3)},
        ("gated_backward[0]", "gated_backward[1]", "gated_backward[2]"),
        (
            (
                "one of two paths forgotten",
                "gated_backward",
                "du @ U.T + dv @ V.T",
                "du @ U.T",
                "gated_backward[0] is wrong",
            ),
        ),
    ),
    Style(
        "weights in globals",
        lambda m: cr.pair(m.shared_forward, m.shared_backward),
        {"x": draw(4, 3)},
        ('shared_backward["dW_shared"]', 'shared_backward["dx"]'),
        (
            (
                "dW with the cotangent, not with dz",
                "shared_backward",
                "x.T @ dz,",
                "x.T @ dout,",
                'shared_backward["dW_shared"] is wrong',
            ),
        ),
    ),
    Style(
        "svm, (loss, dW)",
        lambda m: cr.fused(m.svm_loss, wrt="W"),
        {"W": draw(2, 3), "X": X42, "y": np.array([0, 2, 1, 1]), "reg": 0.1},
        ("svm_loss[1]",),
        (
            ("half the decay", "svm_loss", "2 * reg * W\n", "reg * W\n", "svm_loss[1] is wrong"),
            ("the sign", "svm_loss", "= -mask.sum", "= mask.sum", "svm_loss[1] is wrong"),
        ),
    ),
    Style(
        "two layers, (loss, grads)",
        lambda m: cr.fused(m.two_layer_loss),
        {"X": X42, "W1": D, "b1": draw(3), "W2": draw(3, 2), "y": draw(4, 2)},
        ('two_layer_loss[1]["W2"]', 'two_layer_loss[1]["W1"]', 'two_layer_loss[1]["b1"]'),
        (
            (
                "no gate",
                "two_layer_loss",
                " * (h > 0)",
                "",
                'two_layer_loss[1]["W1"] is wrong',
            ),
            (
                "the square's two forgotten",
                "two_layer_loss",
                "dr = 2 * r",
                "dr = r",
                'two_layer_loss[1]["W2"] is wrong',
            ),
        ),
    ),
    Style(
        "ridge, a dict of both",
        lambda m: cr.fused(m.ridge),
        {"w": draw(2), "X": X42, "y": draw(4), "lam": 0.3},
        ('ridge["grads"]["w"]',),
        (("no decay", "ridge", "X.T @ r + lam * w}", "X.T @ r}", 'ridge["grads"]["w"] is wrong'),),
    ),
    Style(
        "logistic, (loss, dw, db)",
        lambda m: cr.fused(m.logistic, wrt=("w", "b")),
        {"w": draw(2), "b": 0.3, "X": X42, "y": np.array([0.0, 1.0, 1.0, 0.0])},
        ("logistic[1]", "logistic[2]"),
        (("the mean forgotten", "logistic", "(p - y) / len(y)", "p - y", "logistic[2] is wrong"),),
    ),
    Style(
        "quadratic, (value, [gx, gA])",
        lambda m: cr.fused(m.quadratic),
        {"x": draw(3), "A": draw(3, 3)},
        ("quadratic[1][0]", "quadratic[1][1]"),
        (("A is not symmetric", "quadratic", "0.5 * (A + A.T) @ x", "A @ x", "quadratic[1][0]"),),
    ),
    Style(
        "a closure",
        lambda m: cr.fused(m.tanh_vjp),
        {"x": X42, "w": D},
        ("backward[0]", "backward[1]"),
        (
            (
                "the slope forgotten",
                "tanh_vjp.backward",
                "dy * (1 - y * y)",
                "dy",
                "backward[0] is wrong",
            ),
        ),
    ),
    Style(
        "a lambda of a scalar",
        lambda m: cr.fused(m.norm_vjp),
        {"x": draw(3)},
        ("norm_vjp[1][0]",),
        (("the norm forgotten", "norm_vjp", "g * x / n", "g * x", "norm_vjp[1][0] is wrong"),),
    ),
    Style(
        "an object",
        lambda m: cr.layer(m.Linear, 2, 3),
        {"x": X42},
        ("Linear.backward", "Linear.dW", "Linear.db"),
        (
            (
                "added up",
                "Linear.backward",
                "self.dW = self.x.T @ dout",
                "self.dW = getattr(self, 'dW', 0) + self.x.T @ dout",
                "Linear.dW grows with each call of Linear.backward",
            ),
            (
                "a stale cache",
                "Linear.forward",
                "self.x = x",
                "self.x = getattr(self, 'x', x)",
                "uses what an earlier call left",
            ),
            (
                "the wrong axis",
                "Linear.backward",
                "dout.sum(axis=0)",
                "dout.sum(axis=1)",
                "Linear.db has the shape (4), and dout · ∂Linear/∂self.b has (3)",
            ),
            (
                "the wrong side",
                "Linear.backward",
                "self.x.T @ dout",
                "dout.T @ self.x",
                "Linear.dW has the shape (3×2), and dout · ∂Linear/∂self.W has (2×3); that is the "
                "shape of its transpose",
            ),
        ),
    ),
    Style(
        "an object, lists filled in place",
        lambda m: cr.layer(m.Affine(D.copy(), draw(3))),
        {"x": X42},
        ("Affine.backward", "Affine.grads[0]", "Affine.grads[1]"),
        (
            (
                "mean for sum",
                "Affine.backward",
                "np.sum(dout, axis=0)",
                "np.mean(dout, axis=0)",
                "Affine.grads[1] is wrong: refuted",
            ),
            (
                "one of them never written",
                "Affine.backward",
                "        self.grads[1][...] = db\n",
                "",
                "Affine.grads[1] (never written) is wrong: refuted",
            ),
        ),
    ),
    Style(
        "an object that returns nothing",
        lambda m: cr.layer(m.LayerDense, 2, 3),
        {"inputs": X42},
        ("LayerDense.dinputs", "LayerDense.dweights", "LayerDense.dbiases"),
        (
            (
                "the decay's term in the wrong place",
                "LayerDense.backward",
                "np.dot(self.inputs.T, dvalues)",
                "np.dot(self.inputs.T, dvalues) + 0.01 * self.weights",
                "LayerDense.dweights is wrong",
            ),
        ),
    ),
    Style(
        "other names of the methods",
        lambda m: cr.layer(m.Sigmoid, backward="grad"),
        {"x": X42},
        ("Sigmoid.grad",),
        (
            (
                "the slope of the square",
                "Sigmoid.grad",
                "(1 - self.out)",
                "(1 - self.out**2)",
                "Sigmoid.grad is wrong",
            ),
        ),
    ),
    Style(
        "batch norm, dicts, and running averages",
        lambda m: cr.layer(m.BatchNorm, 2),
        {"x": X42},
        ("BatchNorm.backward", 'BatchNorm.grads["gamma"]', 'BatchNorm.grads["beta"]'),
        (
            (
                "the variance's term forgotten",
                "BatchNorm.backward",
                " - self.xhat * (g * self.xhat).mean(axis=0)",
                "",
                "BatchNorm.backward is wrong",
            ),
        ),
    ),
    Style(
        "a loss in an object",
        lambda m: cr.layer(m.SoftmaxWithLoss, wrt="x"),
        {"x": X42, "t": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])},
        ("SoftmaxWithLoss.backward",),
        (
            (
                "the mean forgotten",
                "SoftmaxWithLoss.backward",
                "dout * dx / self.t.shape[0]",
                "dout * dx",
                "SoftmaxWithLoss.backward is wrong",
            ),
        ),
    ),
    Style(
        "added up until zero_grad",
        lambda m: cr.layer(m.Accumulating, 2, 3),
        {"x": X42},
        ("Accumulating.backward", "Accumulating.W_grad", "Accumulating.b_grad"),
        (
            (
                "zero_grad forgets one",
                "Accumulating.zero_grad",
                "self.b_grad = np.zeros_like(self.b)",
                "self.b_grad = getattr(self, 'b_grad', np.zeros_like(self.b))",
                "Accumulating.b_grad grows with each call",
            ),
        ),
    ),
    Style(
        "layers in a list",
        lambda m: cr.layer(m.Sequential(m.Linear(2, 3), m.Tanh(), m.Linear(3, 2))),
        {"x": X42},
        (
            "Sequential.backward",
            "Sequential.layers[0].dW",
            "Sequential.layers[0].db",
            "Sequential.layers[2].dW",
            "Sequential.layers[2].db",
        ),
        (
            (
                "in the forward order",
                "Sequential.backward",
                "reversed(self.layers)",
                "self.layers[::-1][:1] + self.layers[:1] + self.layers[1:2]",
                "Sequential.backward",
            ),
            (
                "one layer's slope",
                "Tanh.backward",
                "(1 - self.y**2)",
                "(1 - self.y)",
                "Sequential.layers[0].dW is wrong",
            ),
        ),
    ),
    Style(
        "an object with a cache handed on",
        lambda m: cr.layer(m.RNNCell, 2, 3, forward="step", backward="step_back"),
        {"x": X42, "h_prev": draw(4, 3)},
        tuple(f"RNNCell.step_back[{k}]" for k in range(5)),
        (
            (
                "Wh by x",
                "RNNCell.step_back",
                "dz @ self.Wh.T",
                "dz @ self.Wh",
                "RNNCell.step_back[1] is wrong",
            ),
        ),
    ),
    Style(
        "with a context",
        lambda m: cr.pair(m.Exp),
        {"x": X42},
        ("Exp.backward",),
        (("the cotangent forgotten", "Exp.backward", "grad_output * result", "result", "Exp"),),
    ),
    Style(
        "with a context, None for what has no derivative",
        lambda m: cr.pair(m.LinearFunction),
        {"x": X42, "weight": draw(3, 2), "bias": draw(3)},
        ("LinearFunction.backward[0]", "LinearFunction.backward[1]", "LinearFunction.backward[2]"),
        (
            (
                "the scale forgotten",
                "LinearFunction.backward",
                "g = ctx.scale * grad_output",
                "g = grad_output",
                "LinearFunction.backward[1] is wrong",
            ),
        ),
    ),
]

each = pytest.mark.parametrize("style", STYLES, ids=lambda s: s.id)


@each
def test_right_ones_are_right(style: Style) -> None:
    """Each is right, under the user's names; and the code is followed, not only called."""
    verdict = style.claim(styled).check(at=style.at)
    print(verdict)
    assert verdict.ok, str(verdict)
    assert sorted(f.name for f in verdict.findings.values()) == sorted(style.names)
    assert {f.scope.followed for f in verdict.findings.values()} == {"traced"}


WRONG = [(s, k) for s in STYLES for k in range(len(s.wrong))]


@pytest.mark.parametrize(("style", "k"), WRONG, ids=lambda x: x.id if isinstance(x, Style) else x)
def test_wrong_ones_are_shown(style: Style, k: int, mutated: Callable[..., ModuleType]) -> None:
    """Not ok, and what is said names what is wrong."""
    _, where, old, new, says = style.wrong[k]
    verdict = style.claim(mutated(where, old, new)).check(at=style.at)
    print(verdict)
    assert not verdict.ok
    assert says in str(verdict), str(verdict)


@pytest.fixture
def mutated(tmp_path: Path) -> Iterator[Callable[..., ModuleType]]:
    """The module of right ones with one text changed in one function."""
    made: list[str] = []

    def make(where: str, old: str, new: str) -> ModuleType:
        assert styled.__file__ is not None
        text = Path(styled.__file__).read_text("utf-8")
        node: Any = ast.parse(text)
        for name in where.split("."):
            node = next(n for n in node.body if getattr(n, "name", "") == name)
        lines = text.splitlines(keepends=True)
        body = "".join(lines[node.lineno - 1 : node.end_lineno])
        assert body.count(old) == 1, f"{old!r} occurs {body.count(old)} times in {where}"
        lines[node.lineno - 1 : node.end_lineno] = [body.replace(old, new)]
        path = tmp_path / f"styled_{len(made)}.py"
        path.write_text("".join(lines), "utf-8")
        spec = importlib.util.spec_from_file_location(f"{tmp_path.name}_{len(made)}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        made.append(spec.name)
        spec.loader.exec_module(module)
        return module

    yield make
    for name in made:
        del sys.modules[name]


# -- what people publish, without a wrapper --------------------------------------------------------

PUBLISHED = {
    "affine": (
        cr.pair(layers.affine_forward, layers.affine_backward),
        {"x": draw(2, 2, 3), "w": draw(6, 2), "b": draw(2)},
    ),
    "relu": (cr.pair(layers.relu_forward, layers.relu_backward), {"x": X42}),
    "batch norm": (
        cr.pair(layers.batchnorm_forward, layers.batchnorm_backward),
        {"x": draw(4, 3), "gamma": draw(3), "beta": draw(3)},
    ),
    "layer norm": (
        cr.pair(layers.layernorm, layers.layernorm_backward),
        {"x": draw(4, 3), "g": draw(3), "b": draw(3)},
    ),
    "rms norm": (
        cr.pair(layers.rmsnorm, layers.rmsnorm_backward),
        {"x": draw(4, 3), "g": draw(3)},
    ),
    "dropout": (
        cr.pair(layers.dropout, layers.dropout_backward),
        {"x": X42, "mask": np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0]])},
    ),
    "attention": (cr.pair(recurrent.attention, recurrent.attention_backward), recurrent.QKV),
    "net": (
        cr.layer(recurrent.net, forward="cost", backward="backprop"),
        {"x": draw(2, 3), "y": draw(2, 3)},
    ),
    "ridge": (
        cr.layer(models.ridge, forward="loss", backward="grad"),
        {"X": draw(4, 3), "y": draw(4)},
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_people_publish_needs_no_wrapper(name: str) -> None:
    """The forward and the backward function themselves are what is given."""
    claim, point = PUBLISHED[name]
    verdict = claim.check(at=point)
    assert verdict.ok, str(verdict)
    assert {f.scope.followed for f in verdict.findings.values()} == {"traced"}


# -- what a claim is -------------------------------------------------------------------------------


def test_a_claim_is_checked_in_three_ways() -> None:
    """The same verdict from the function, the method, and the assertion."""
    claim = cr.pair(styled.relu_forward, styled.relu_backward, at={"x": X42})
    assert cr.check(claim).status == claim.check().status == "proved"
    assert cr.assert_derivative(claim, at={"x": draw(2, 3)}).ok
    wrong = cr.pair(styled.relu_forward, lambda dout, cache: dout, at={"x": X42})
    with pytest.raises(DerivativeError, match="is wrong: refuted"):
        cr.assert_derivative(wrong)


def test_options_go_through_and_a_check_has_the_last_word() -> None:
    """Names of axes, and the point, given to the claim and to the check."""
    shapes = {"x": "N k", "W": "k m", "b": "m"}
    claim = cr.layer(styled.Linear, 2, 3, at={"x": X42}, shapes=shapes)
    text = str(claim.check())
    assert "x (N×k), self.W (k×m), self.b (m), dout (N×m)" in text
    finding = claim.check(at={"x": draw(6, 2), "W": draw(2, 3)}, wrt="W").findings
    assert [*finding] == ["self.W"] and "(N×k)" in str(finding["self.W"].scope)


def test_a_claim_of_two_plain_functions() -> None:
    """Claim takes what check takes, a mapping too."""

    def cost(w: Any, x: Any) -> Any:
        return np.sum((x @ w) ** 2)

    def by_w(w: Any, x: Any) -> Any:
        return 2 * x.T @ (x @ w)

    claim = cr.Claim(cost, {"w": by_w}, at={"w": draw(2), "x": X42}, shapes={"x": "N d"})
    assert claim.check().ok
    assert not cr.Claim(cost, lambda w, x: x.T @ (x @ w), wrt="w").check(at=claim.at).ok


# -- nothing of the user's is changed, and nothing that was left counts ---------------------------


def test_the_object_is_put_back() -> None:
    """Attributes, their arrays, and lists in the object are what they were."""
    made = styled.Affine(draw(2, 3), draw(3))
    made.forward(X42)
    before = dict(vars(made))
    copies = [g.copy() for g in made.grads]
    assert cr.layer(made).check(at={"x": draw(5, 2)}).ok
    assert vars(made).keys() == before.keys()
    assert all(vars(made)[k] is v for k, v in before.items())
    assert all(np.array_equal(a, b) for a, b in zip(made.grads, copies, strict=True))


def test_what_an_earlier_call_left_does_not_count() -> None:
    """A layer that was used on another batch is judged as a new one."""
    made = styled.Linear(2, 3)
    made.forward(draw(7, 2))
    made.backward(draw(7, 3))
    assert cr.layer(made).check(at={"x": X42}).ok


class Forgetful(styled.Linear):
    """Its forward pass does not keep its argument."""

    def forward(self, x: Any) -> Any:
        return x @ self.W + self.b


def test_a_cache_of_an_earlier_batch_is_found() -> None:
    """forward keeps nothing: backward reads what an earlier call left."""
    made = Forgetful(2, 3)
    made.x = draw(4, 2)
    verdict = cr.layer(made).check(at={"x": X42})
    assert not verdict.ok and not verdict.findings["self.W"].ok
    assert "self.x" in verdict.findings["self.W"].reason, str(verdict)


# -- what cannot be told ---------------------------------------------------------------------------

X, W, B = X42, D, draw(3)
POINT = {"x": X, "w": W, "b": B}


def forward(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b, (x, w)


def backward(c: Any, dout: Any) -> Any:
    return dout @ c[1].T, c[0].T @ dout, dout.sum(axis=0)


def unordered(dout: Any, cache: Any) -> Any:
    x, w = cache
    return dout.sum(axis=0), dout @ w.T, x.T @ dout


def two_outputs(x: Any, w: Any) -> Any:
    h = np.tanh(x @ w)
    return h, h * h


def two_cotangents(dh: Any, dc: Any, x: Any, w: Any) -> Any:
    return dh @ w.T, x.T @ dh


def plain(x: Any) -> Any:
    return 2 * x


class Odd:
    """A gradient under a name that nobody would guess."""

    def __init__(self) -> None:
        self.W, self.lr, self.dlr = D.copy(), 0.5, 0.1

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W

    def backward(self, dout: Any) -> Any:
        self.slope_of_W = self.x.T @ dout
        return dout @ self.W.T


def test_the_cotangent_is_told_by_its_name() -> None:
    """A cache may come first, and be called anything."""
    assert cr.pair(forward, backward).check(at=POINT).ok


def test_an_order_of_its_own_can_be_said() -> None:
    """With wrt=, what is returned is taken in that order."""
    assert cr.pair(forward, unordered, wrt=("b", "x", "w")).check(at=POINT).ok


def test_where_a_derivative_is_left_can_be_said() -> None:
    """And what is only called like one (a step dlr beside lr) is not taken for one."""
    assert [*cr.layer(Odd()).check(at={"x": X}).findings] == ["x"]
    verdict = cr.layer(Odd(), grads={"W": "slope_of_W"}).check(at={"x": X})
    assert verdict.ok and [f.name for f in verdict.findings.values()] == [
        "Odd.backward",
        "Odd.slope_of_W",
    ]


UNTOLD: dict[str, tuple[Callable[[], Any], str]] = {
    "another order": (
        lambda: cr.pair(forward, unordered).check(at=POINT),
        "values of the shapes (3), (4×2), (2×3), and the order of the arguments is x (4×2), "
        "w (2×3), b (3); say with wrt=",
    ),
    "two cotangents": (
        lambda: cr.pair(two_outputs, two_cotangents).check(at={"x": X, "w": W}),
        "dh is taken for the cotangent, and dc looks like another",
    ),
    "no backward": (lambda: cr.pair(forward).check(at=POINT), "the backward pass is missing"),
    "no cotangent": (
        lambda: cr.pair(forward, lambda cache: cache).check(at=POINT),
        "takes no cotangent; its first argument should be the derivative of the loss",
    ),
    "no cache": (
        lambda: cr.pair(plain, lambda dout, cache: 2 * dout).check(at={"x": X}),
        "needs cache, and plain returns its output only",
    ),
    "of is out": (
        lambda: cr.pair(forward, backward, of=5).check(at=POINT),
        "of=5: forward returns 2 values, numbered from 0",
    ),
    "no such cotangent": (
        lambda: cr.pair(forward, backward, cotangent="g").check(at=POINT),
        "cotangent='g': backward(c, dout) has no such argument",
    ),
    "no such option": (
        lambda: cr.pair(forward, backward, tolerance=3).check(at=POINT),
        "check has no option tolerance=",
    ),
    "an argument is missing": (
        lambda: cr.pair(forward, backward).check(at={"x": X}),
        "forward needs w; give it in at=",
    ),
    "one array of three": (
        lambda: cr.pair(forward, lambda dout, cache: dout).check(at=POINT),
        "say with wrt= whose derivatives they are",
    ),
    "one side": (lambda: cr.check(forward), "check needs what is claimed too"),
    "three sides": (
        lambda: cr.check(cr.pair(forward, backward), backward),
        "a Claim holds both sides",
    ),
    "not fused": (
        lambda: cr.fused(plain).check(at={"x": X}),
        "plain returns a ndarray; fused needs the value and its derivatives",
    ),
    "which of a dictionary": (
        lambda: cr.fused(lambda x: {"a": np.sum(x), "b": x}).check(at={"x": X}),
        "returns a dictionary with 'a', 'b'; say with of=",
    ),
    "which are derivatives": (
        lambda: cr.fused(lambda x: {"loss": np.sum(x), "b": x}).check(at={"x": X}),
        "say with grads= where the derivatives are",
    ),
    "no such method": (
        lambda: cr.layer(Odd(), backward="back").check(at={"x": X}),
        "Odd has no method back (its methods are: forward, backward)",
    ),
    "no derivative of it": (
        lambda: cr.layer(Odd(), wrt="W").check(at={"x": X}),
        "wrt= names W, and no derivative of it was found in Odd",
    ),
    "nothing there": (
        lambda: cr.layer(Odd(), grads={"W": "gone"}).check(at={"x": X}),
        "grads= names gone, and Odd has none",
    ),
    "made already": (lambda: cr.layer(Odd(), 3), "constructor arguments go with a class"),
    "no point": (
        lambda: cr.layer(Odd()).check(at=3),
        "at=3: give one point as name → value",
    ),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_cannot_be_told_is_said(name: str) -> None:
    """A UsageError with what was seen, and what to do."""
    asked, says = UNTOLD[name]
    with pytest.raises(UsageError) as raised:
        asked()
    assert says in str(raised.value)


def test_code_that_raises_is_named() -> None:
    """In forward and in backward: the user's function, the line, the exception."""

    def broken(*_: Any) -> Any:
        raise KeyError("W7")

    verdict = cr.pair(forward, lambda dout, cache: broken()).check(at=POINT)
    assert "raises KeyError at" in str(verdict) and "test_styles.py" in str(verdict)
    assert "breaks the contract: inconclusive" in str(verdict)
    verdict = cr.pair(broken, backward).check(at={"_": (X,)})
    assert "broken raises KeyError at" in str(verdict) and not verdict.ok
