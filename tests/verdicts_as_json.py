"""Prints verdicts as JSON, one a line: `python tests/verdicts_as_json.py [first]`.

`test_determinism` runs it under several settings. What float64 says (the key `code`, and `ok`,
which looks at it) is on a line of its own behind a `#`, since it may depend on BLAS.
first : "first" checks something else before, "thread" does all in a thread.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.gallery import lecture


def one_branch(x: float, y: float) -> float:
    """2xy by two branches."""
    return 2 * x * y if x > 0 else y * (x + x)


def d_sigma(z: Any) -> Any:
    """Right, and its code overflows."""
    return np.exp(-z) / (np.exp(-z) + 1) ** 2


def jacobian(x: Any) -> Any:
    """Right."""
    return np.array([[x[1], x[0]], [2 * x[0], np.cos(x[1])]])


def loss(W: Any, x: Any, y: Any) -> Any:
    """A mean square."""
    return np.mean((W @ x - y) ** 2)


def gradient(W: Any, x: Any, y: Any) -> Any:
    """Right."""
    return 2 * (W @ x - y) @ x.T / y.size


def wrong_gradient(W: Any, x: Any, y: Any) -> Any:
    """Divided by the wrong number."""
    return 2 * (W @ x - y) @ x.T / x.size


FORMULAS: list[tuple[dict[str, Any], Any]] = [
    ({"definitions": {"f": "5*x", "x": "1 - u", "u": "t**2"}, "of": "f", "wrt": "t"}, "-10*t"),
    ({"definitions": {"f": "5*x", "x": "1 - u", "u": "t**2"}, "of": "f", "wrt": "t"}, "10*t"),
    ({"definitions": {"f": "u**5", "u": "1 - x**2"}, "of": "f", "wrt": "x"}, "5*u**4*(-2*x)"),
    ({"definitions": {"f": "abs(x) + max(x, y)"}, "of": "f", "wrt": "x"},
     "sign(x) + heaviside(x - y)"),
    ({"definitions": {"f": "x**2*y"}, "of": "f", "wrt": "x"}, "2*x*x*y/x"),
    ({"definitions": {"f": "log(a*x) + sqrt(b*x - c)"}, "of": "f", "wrt": ("x", "a", "b", "c")},
     {"x": "1/x + b/(2*sqrt(b*x - c))", "a": "1/a", "b": "x/sqrt(b*x - c)"}),
    ({"definitions": {"f": "gamma(x)*zz + q"}, "of": "f", "wrt": "x"}, "gamma(x)*zz"),
    ({"definitions": {"f": "x.T @ A @ x"}, "of": "f", "wrt": "x",
      "shapes": {"x": 3, "A": (3, 3)}}, "(A + A.T) @ x"),
    ({"definitions": {"f": "x.T @ A @ x"}, "of": "f", "wrt": "x",
      "shapes": {"x": 3, "A": (3, 3)}}, "2*A @ x"),
    ({"definitions": {"z": "f(u, v)", "u": "x*y", "v": "x/y"}, "of": "z", "wrt": ("x", "y"),
      "functions": ("f",)}, {"x": "f(u, v)"}),
    ({"definitions": {"f": "x**2*y"}, "of": "f", "wrt": "x"}, one_branch),
    ({"definitions": {"f": "x**2*y"}, "of": "f", "wrt": "x"}, lambda x, y: 2 * x * x * y / x),
    ({"definitions": {"s": "1/(1 + exp(-z))"}, "of": "s", "wrt": "z"}, d_sigma),
    ({"definitions": {"s": "1/(1 + exp(-z))"}, "of": "s", "wrt": "z"}, lambda s: s * (1 + s)),
    ({"definitions": {"f": ["x[0]*x[1]", "x[0]**2 + sin(x[1])"]}, "of": "f", "wrt": "x",
      "shapes": {"x": 2}}, jacobian),
    ({"definitions": {"f": "x*y**2"}, "of": "f", "wrt": ("x", "y")},
     lambda x, y: {"x": y**2, "y": x * y}),
    ({"definitions": {"f": "x"}, "of": "f", "wrt": "x"}, lambda x: None),
    ({"definitions": {"f": "x*y**2"}, "of": "f", "wrt": ("x", "y")},
     lambda x, y: (y**2, 2 * x * y)),
    ({"definitions": {"f": "0.3*x"}, "of": "f", "wrt": "x"}, lambda x: 0.30000000000000004),
    ({"definitions": {"f": "max(x, 0)**2/2"}, "of": "f", "wrt": "x"}, lambda x: np.maximum(x, 0)),
]  # fmt: skip

POINT = {
    "W": np.array([[0.5, -1.0, 0.25], [1.5, 0.75, -0.5]]),
    "x": np.linspace(-1, 1, 12).reshape(3, 4),
    "y": np.ones((2, 4)) / 4,
}


def verdicts() -> list[cr.Verdict]:
    """The verdicts, in order."""
    out = []
    for given, claimed in FORMULAS:
        rest = dict(given)
        out.append(cr.check(cr.derive(rest.pop("definitions"), **rest), claimed))
    for claimed in (gradient, wrong_gradient):
        out.append(cr.check(loss, claimed, at=POINT, wrt="W"))
    lecture.reset_network(3, 2, np.random.default_rng(5))
    at = {"x": np.linspace(0, 1, 4)[None], "y": np.ones((2, 4)) / 4}
    wrong = {"W2": lambda x, y: 2 * lecture.J_W2(x, y)}
    for backward in ({"W3": lecture.J_W3, "b3": lecture.J_b3, "W1": lecture.J_W1}, wrong):
        out.append(cr.check(lecture.cost, backward, at=at))
    return out


def printed(verdict: cr.Verdict) -> tuple[str, str]:
    """The formula verdict, and what float64 says, each as one line of JSON."""
    data = verdict.to_dict()
    floats: dict[str, Any] = {"ok": data.pop("ok")}
    for name, finding in data["findings"].items():
        floats[name] = {key: finding.pop(key) for key in ("code", "ok")}
    return json.dumps(data, allow_nan=False), json.dumps(floats, allow_nan=False)


def main(how: str) -> None:
    """Print all of them."""
    if how == "first":
        for given, claimed in reversed(FORMULAS):
            rest = dict(given)
            cr.check(cr.derive(rest.pop("definitions"), **rest), claimed)
        cr.check(loss, wrong_gradient, at=POINT, wrt="W")
    for verdict in verdicts():
        formula, floats = printed(verdict)
        print(formula)
        print("#", floats)


if __name__ == "__main__":
    way = sys.argv[1] if len(sys.argv) > 1 else ""
    if way == "thread":
        thread = threading.Thread(target=main, args=("",))
        thread.start()
        thread.join()
    else:
        main(way)
