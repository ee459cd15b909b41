"""The long scripts run, and fail on what they must not pass: tiny counts of each."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import accuracy
import rewritings
import verdicts
from engines import run_torch
from random_graphs import draw
from written import ACTIVATION, LAYER, LOSS, drawn, text

from chainrule.graph.node import reached
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import checking, depth
from tests.benchmarks.networks import Problem

# ---- accuracy ------------------------------------------------------------------------------------


def test_accuracy_runs_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main(["--checks", "3", "--only", "44"]) == 0
    assert "3 checks of right code, 1 ways" in capsys.readouterr().out


def test_accuracy_counts_quick_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main(["--checks", "2", "--only", "44"]) == 0
    assert ", 1 of them quick" in capsys.readouterr().out


def test_planted_errors_are_found_traced_and_opaque(capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main(["--checks", "0", "--planted", "2", "--planted-way", "4"]) == 0
    out = capsys.readouterr().out
    assert "traced: refuted" in out and "black box: " in out and ": 0 missed" in out


def test_accuracy_fails_on_a_false_alarm(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong network passed for a right one."""
    monkeypatch.setattr(accuracy, "text", lambda way: text(way).replace("np.cos(", "1.1 * np.cos("))
    assert accuracy.main(["--checks", "1", "--only", "44"]) == 1
    assert "FALSE ALARM: --seed 0 --only 44, point 0" in capsys.readouterr().out


def test_planted_fails_on_a_miss(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that was never planted is found by nobody."""
    monkeypatch.setattr(accuracy, "text", lambda way, *planted: text(way))
    assert accuracy.main(["--checks", "0", "--planted-way", "4"]) == 1
    assert "MISSED: --seed 0 --planted-way 4" in capsys.readouterr().out


def test_every_form_computes_the_same(tmp_path: Path) -> None:
    """All ways of writing one network give the same numbers; every form of the tables is drawn."""
    seen = set()
    for k in range(400):
        way = drawn(random.Random(f"forms/{k}"))
        forms = (*ACTIVATION[way.activation], *LOSS[way.loss])
        numbers = (way.forward, way.slope, way.cost, way.start)
        seen |= {f[n] for f, n in zip(forms, numbers, strict=True)}
        seen |= {LAYER[way.layout][kind][getattr(way, kind)] for kind in ("z", "dW", "db", "da")}
        if k >= 80:
            continue
        code = accuracy.Code(way, text(way), tmp_path, f"way{k}")
        same = accuracy.Code(way.stable, text(way.stable), tmp_path, f"stable{k}")
        shape = [3, 4, 5, 2, 6][-way.depth - 2 :]
        at = accuracy.point(way, np.random.default_rng(k), shape, "random", same)
        at["x"] = at["x"] / np.abs(at["x"]).max()
        for place, truth in same.results(at).items():
            np.testing.assert_allclose(code.results(at)[place], truth, rtol=1e-9, atol=1e-12)
    listed = [forms for pair in (*ACTIVATION.values(), *LOSS.values()) for forms in pair]
    listed += [LAYER[one][kind] for one in LAYER for kind in ("z", "dW", "db", "da")]
    assert seen == {form for forms in listed for form in forms}


# ---- verdicts ------------------------------------------------------------------------------------


def test_verdicts_run_and_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdicts.main(["--verdicts", "20", "--each", "3", "--whole", "1", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "claims of" in out and ": 0 wrong" in out


@pytest.mark.parametrize("rung", ["proved", "refuted"])
def test_verdicts_fail_on_a_false_answer(
    rung: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prover, and a witness, that say yes to everything."""

    def yes(derived: Any, claims: Any, *rest: Any) -> None:
        for c in claims:
            c.proved, c.refuted = (
                c.proved or rung == "proved",
                rest[0] if rung == "refuted" else None,
            )

    monkeypatch.setattr(verdicts, "prove" if rung == "proved" else "refute", yes)
    assert verdicts.main(["--verdicts", "20", "--each", "3", "--seed", "3"]) == 1
    told = "FALSE PROOF by the normal form" if rung == "proved" else "REFUT"
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("rules", [rewritings.TRUE, rewritings.MISSES], ids=["true", "misses"])
def test_rewritings_are_what_they_say(rules: Mapping[str, rewritings.Rule]) -> None:
    """torch sees no difference after a true rewriting, and one after most near misses."""
    apart: dict[str, list[bool]] = {}
    for k in range(200):
        rnd = random.Random(f"rewritings/{k}")
        d, output, _ = draw(rnd, verdicts.OPS, rnd.randint(2, 5), empty=False)
        new = rewritings.rewritten(output, rules, rnd)
        if new is None or 0 in output.number_shape:
            continue
        nodes = [n for n in reached([output, new[1]]) if n.op == "input"]
        tensors = {n.params[0]: d.values[n] for n in nodes}
        try:
            known = run_torch([output, new[1]], tensors, d.env)
        except TypeError:  # the engine makes numbers of conditions that are transposed
            continue
        a, b = (np.asarray(known[n]) for n in (output, new[1]))
        scale = max(1.0, float(np.abs(a).max()))
        apart.setdefault(new[0], []).append(bool(np.abs(a - b).max() > 1e-11 * scale))
    if rules is rewritings.TRUE:
        assert {name for name, seen in apart.items() if any(seen)} == set()
        assert len(apart) >= 6
    else:
        assert sum(map(any, apart.values())) >= 7


# ---- benchmarks ----------------------------------------------------------------------------------


def test_benchmarks_of_checks_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmarks.main(["--check", "--tiny"]) == 0
    out = capsys.readouterr().out
    assert "chainrule, same claim, new point" in out and "6 proved every shape" in out


def test_what_is_timed_is_right() -> None:
    """The contestants check gradients that are right, by the networks' own."""
    p = Problem((2, 3, 4), 5)
    keys = [f"{n}{k}" for n in "Wb" for k in (1, 2)]
    wanted = checking.networks.by_hand(p)()
    for key, mine in zip(keys, checking.gradients(**checking.point(p)), strict=True):
        np.testing.assert_allclose(mine, wanted[key], rtol=1e-12)


@pytest.mark.parametrize("name", ["chainrule, first verdict", "central differences"])
def test_a_wrong_gradient_is_no_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contestant fails on a wrong gradient: what is timed is a check."""
    right = checking.gradients
    monkeypatch.setattr(checking, "gradients", lambda x, y, Ws, bs: _doubled(right(x, y, Ws, bs)))
    with pytest.raises(AssertionError):
        checking.CONTESTANTS[name](Problem((2, 3, 4), 5)).call()


def _doubled(slopes: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(2 * g for g in slopes)


def test_residual_gradients_are_checked() -> None:
    seconds, found = depth.residual(1)
    assert seconds > 0 and found.startswith("2 proved")
