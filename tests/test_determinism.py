"""The same formula verdict for any hash seed, threads, ground types, order, and in a thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.verdict import CodeReport, Evidence, Finding, Scope, Verdict

SCRIPT = Path(__file__).with_name("verdicts_as_json.py")
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "another hash seed, one thread, python": (
        {
            "PYTHONHASHSEED": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "SYMPY_GROUND_TYPES": "python",
        },
        "",
    ),
    "a random hash seed, two threads, something else before": (
        {
            "PYTHONHASHSEED": "random",
            "OMP_NUM_THREADS": "2",
            "OPENBLAS_NUM_THREADS": "2",
            "SYMPY_GROUND_TYPES": "flint",
        },
        "first",
    ),
    "in a thread": ({"PYTHONHASHSEED": "2", "SYMPY_GROUND_TYPES": "python"}, "thread"),
}


def run(settings: dict[str, str], how: str) -> list[str]:
    """The formula verdicts that a process of its own prints."""
    found = subprocess.run(
        [sys.executable, str(SCRIPT), how],
        env={**os.environ, **settings},
        capture_output=True,
        check=False,
        timeout=600,
        text=True,
        encoding="utf-8",
    )
    assert found.returncode == 0, found.stderr
    return [line for line in found.stdout.splitlines() if not line.startswith("#")]


@cache
def reference() -> tuple[str, ...]:
    """With hash seed 0, one thread and FLINT."""
    settings = {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "SYMPY_GROUND_TYPES": "flint",
    }
    return tuple(run(settings, ""))


def test_the_reference_holds_every_kind() -> None:
    """Each line is JSON; formulas, traced code, exact edges and refutations are among them."""
    data = [json.loads(line) for line in reference()]
    findings = [f for d in data for f in d["findings"].values()]
    assert len(data) >= 20
    assert {"proved", "agrees", "refuted", "inconclusive"} <= {f["status"] for f in findings}
    assert {"as a formula", "traced"} <= {f["scope"]["followed"] for f in findings}
    assert {"interior", "edge", "shape"} <= {
        f["witness"]["where"] for f in findings if f["witness"]
    }
    assert any(f["scope"]["conditions"] for f in findings)
    assert all("code" not in f and "ok" not in f for f in findings)


@pytest.mark.parametrize("name", SETTINGS)
def test_formula_verdicts_are_the_same_byte_for_byte(name: str) -> None:
    """Whatever the settings, the order, and the thread."""
    settings, how = SETTINGS[name]
    assert run(settings, how) == list(reference())


def test_the_settings_arrive() -> None:
    """SymPy does use the ground types that it is told: else the test above says nothing."""
    code = "from sympy.external.gmpy import GROUND_TYPES; print(GROUND_TYPES)"
    for kind in ("flint", "python"):
        found = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "SYMPY_GROUND_TYPES": kind},
            capture_output=True,
            check=True,
            timeout=60,
            text=True,
        )
        assert found.stdout.strip() == kind


def only_json(value: Any) -> bool:
    """Whether it is made of JSON's own types, and of nothing that only looks like them."""
    if type(value) is dict:
        return all(type(k) is str and only_json(v) for k, v in value.items())
    if type(value) is list:
        return all(map(only_json, value))
    return value is None or type(value) in (str, bool, int, float)


def test_a_verdict_is_plain_json() -> None:
    """Numbers of NumPy, tuples and what is not finite become JSON of the same meaning."""
    figures = {
        "points": np.int64(3),
        "gap": np.float64(0.5),
        "bound": float("inf"),
        "flag": np.bool_(True),
    }
    code = CodeReport("fails", "it overflows", float("nan"), 3, np.int64(1))  # type: ignore[arg-type]
    scope = Scope(conditions=("x ≠ 0",))
    finding = Finding("f", "agrees", "so", scope, (Evidence("witness", "s", figures),), code=code)
    verdict = Verdict("f", {"f": finding})
    data = verdict.to_dict()
    assert only_json(data)
    found = data["findings"]["f"]
    assert found["evidence"][0]["figures"] == {
        "points": 3,
        "gap": 0.5,
        "bound": "inf",
        "flag": True,
    }
    assert found["code"]["worst"] == "nan" and found["scope"]["conditions"] == ["x ≠ 0"]
    assert json.loads(verdict.to_json()) == json.loads(verdict.to_json(indent=None)) == data
    assert "≠" in verdict.to_json() and "\n" not in verdict.to_json(indent=None)


def test_every_kind_of_verdict_is_plain_json() -> None:
    """Also of code, of refutations, and where nothing can be said."""

    def loss(w: Any) -> Any:
        return np.sum(w**2)

    d = cr.derive({"f": "x**2*y"}, of="f", wrt="x")
    point = {"w": np.array([1.0, -2.0])}
    for verdict in (
        cr.check(d, "2*x*y"),
        cr.check(d, "x"),
        cr.check(d, lambda x, y: 2 * x * y),
        cr.check(d, lambda x, y: None),
        cr.check(loss, lambda w: 2 * w, at=point, wrt="w"),
        cr.check(loss, lambda w: 3 * w, at=point, wrt="w"),
    ):
        assert only_json(verdict.to_dict()), verdict
        assert json.loads(verdict.to_json()) == verdict.to_dict()


def test_the_example_tells_changes() -> None:
    """The comparison can fail: another claim is another line."""
    lines = reference()
    assert len(set(lines)) == len(lines)
