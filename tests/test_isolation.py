"""Code that may do anything, in either side: what happened is said, and nothing else is lost."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.isolation import Work, isolated, limits_of

Array = Any
W = np.array([1.0, 2.0, 3.0])
b = np.array([0.5, 0.25, 0.5])
AT = {"x": np.array([1.0, -2.0, 0.5])}
SOON = cr.Limits(seconds=4, megabytes=256)
HERE = re.escape(__file__)


def cost(x: Array) -> Any:
    return np.sum((W * x + b) ** 2)


def J_W(x: Array) -> Any:
    return 2 * (W * x + b) * x


def J_b(x: Array) -> Any:
    return 2 * (W * x + b)


def wrong(x: Array) -> Any:
    return (W * x + b) * W


def loops(x: Array) -> Any:
    while True:
        pass


def sleeps(x: Array) -> Any:
    time.sleep(1000)


def prints(x: Array) -> Any:
    while True:
        print("x" * 1000)


def quits(x: Array) -> Any:
    os._exit(3)


def aborts(x: Array) -> Any:
    os.abort()


def faults(x: Array) -> Any:
    ctypes.string_at(0)


def nests(x: Array) -> Any:
    class Deep:
        def __eq__(self, other: object) -> bool:
            return [self] == [other]

    sys.setrecursionlimit(10**7)
    return Deep() == Deep()


def killed(x: Array) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def asks(x: Array) -> Any:
    return np.ones(10**12)


def hoards(x: Array) -> Any:
    kept = []
    while True:
        kept.append(np.ones(10**7))


def recurs(x: Array) -> Any:
    return recurs(x)


def interrupts(x: Array) -> Any:
    raise KeyboardInterrupt("enough")


def leaves(x: Array) -> Any:
    raise SystemExit(4)


def generates(x: Array) -> Any:
    raise GeneratorExit


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def silent(x: Array) -> Any:
    raise Silent


MORE = re.escape("; a higher limit is isolate=chainrule.Limits(seconds=…)")
#: What it does → the whole reason, as a pattern where a line of this file is named.
HOSTILE: dict[Callable[..., Any], str] = {
    loops: rf"loops did not return within 4 s at {HERE}:\d+ \((while True:|pass)\){MORE}",
    sleeps: rf"sleeps did not return within 4 s at {HERE}:\d+ \(time.sleep\(1000\)\){MORE}",
    prints: rf"prints did not return within 4 s at {HERE}:\d+ \(.*\){MORE}",
    quits: "the process ended with exit code 3 while quits ran",
    aborts: r"the process ended by an abort \(SIGABRT\) while aborts ran"
    rf" at {HERE}:\d+ \(os.abort\(\)\)",
    faults: r"the process ended by a segmentation fault \(SIGSEGV\) while faults ran"
    rf" at {HERE}:\d+ \(ctypes.string_at\(0\)\)",
    nests: r"the process ended by a segmentation fault \(SIGSEGV\) while nests ran"
    rf" at {HERE}:\d+ \((return \[self\] == \[other\]|def __eq__.*)\)",
    killed: r"the process ended by a kill from outside \(perhaps the machine had no memory left\) "
    r"\(SIGKILL\) while killed ran",
    asks: rf"asks raises MemoryError at {HERE}:\d+ \(return np.ones\(10\*\*12\)\): it asked for "
    r"more memory than 256 MB \(Unable to allocate 7.28 TiB for an array with shape "
    r"\(1000000000000,\) and data type float64\)",
    hoards: rf"hoards raises MemoryError at {HERE}:\d+ \(kept.append\(np.ones\(10\*\*7\)\)\): it "
    r"asked for more memory than 256 MB \(Unable to allocate .*\)",
    recurs: rf"recurs raises RecursionError at {HERE}:\d+ \(return recurs\(x\)\): maximum recursion"
    r" depth exceeded",
    interrupts: rf"interrupts raised KeyboardInterrupt at {HERE}:\d+ "
    r'\(raise KeyboardInterrupt\("enough"\)\): enough',
    leaves: rf"leaves raises SystemExit at {HERE}:\d+ \(raise SystemExit\(4\)\): 4",
    generates: rf"generates raised GeneratorExit at {HERE}:\d+ \(raise GeneratorExit\)",
    silent: rf"silent raises Silent at {HERE}:\d+ \(raise Silent\)",
}


@pytest.fixture(scope="module")
def plain() -> cr.Verdict:
    """The verdict without a hostile function and without isolation."""
    verdict: cr.Verdict = cr.check(cost, {"W": J_W, "x": wrong}, at=AT)
    return verdict


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda f: f.__name__)
def test_a_hostile_derivative(hostile: Callable[..., Any], plain: cr.Verdict) -> None:
    """It is inconclusive and says what happened; the findings of the others are what they are."""
    verdict = cr.check(cost, {"W": J_W, "b": hostile, "x": wrong}, at=AT, isolate=SOON)
    assert list(verdict.findings) == ["W", "b", "x"]
    finding = verdict.findings["b"]
    assert finding.status == "inconclusive" and finding.name == hostile.__name__
    assert re.fullmatch(HOSTILE[hostile], finding.reason), finding.reason
    assert verdict.findings["x"].status == "refuted"
    for name in ("W", "x"):
        assert verdict.findings[name] == plain.findings[name]


@pytest.mark.parametrize("act", [quits, faults, interrupts, asks], ids=lambda f: f.__name__)
def test_a_hostile_forward(act: Callable[..., Any]) -> None:
    """Every function's finding says that it was the forward code."""

    def forward(x: Array) -> Any:
        act(x)
        return np.sum(x)

    verdict = cr.check(forward, {"x": J_b}, at=AT, isolate=SOON)
    finding = verdict.findings["x"]
    assert finding.status == "inconclusive" and "forward" in finding.reason


def test_a_forward_that_does_not_return() -> None:
    """In each of the children; both findings are there."""

    def forward(x: Array, y: Array) -> Any:
        time.sleep(1000)
        return np.sum(x * y)

    at = {"x": AT["x"], "y": AT["x"]}
    limits = cr.Limits(seconds=1)
    functions = {"x": lambda x, y: y, "y": lambda x, y: x}
    verdict = cr.check(forward, functions, at=at, isolate=limits)
    assert list(verdict.findings) == ["x", "y"] and verdict.subject == "forward"
    for finding in verdict.findings.values():
        assert finding.reason.startswith("forward did not return within 1 s at ")


def test_a_function_that_hangs_later() -> None:
    """How often it had returned is said."""

    def late(x: Array) -> Any:
        if x[0] != 1.0:
            time.sleep(1000)
        return 2 * (W * x + b)

    finding = cr.check(cost, {"b": late}, at=AT, isolate=cr.Limits(seconds=2)).findings["b"]
    assert re.fullmatch(
        rf"late did not return within 2 s at {HERE}:\d+ \(time.sleep\(1000\)\) "
        r"\(it had returned \d+ times? before\)" + MORE,
        finding.reason,
    )


def test_a_fused_function_that_hangs_names_all() -> None:
    """One function for several derivatives: each of them is named."""
    verdict = cr.check(cost, quits, at=AT, wrt=("W", "b"), isolate=SOON)
    assert list(verdict.findings) == ["W", "b"]
    reasons = {f.reason for f in verdict.findings.values()}
    assert reasons == {"the process ended with exit code 3 while quits ran"}


@pytest.mark.parametrize("isolate", [True, cr.Limits(seconds=30, megabytes=2000)])
def test_harmless_code_gets_the_same_verdict(isolate: Any) -> None:
    """Right, wrong, a contract that is broken, a fused function, and lambdas: as without."""

    def writes(x: Array) -> Any:
        x *= 1
        x[0] = 0
        return x

    def fused(x: Array) -> Any:
        return {"W": J_W(x), "x": 2 * (W * x + b) * W}

    for claimed in (
        {"W": J_W, "b": lambda x: 2 * (W * x + b), "x": wrong},
        {"W": writes, "b": J_b},
        fused,
        {"b": lambda x: None},
    ):
        plain = cr.check(cost, claimed, at=AT)
        assert cr.check(cost, claimed, at=AT, isolate=isolate).to_dict() == plain.to_dict()


def test_a_forward_that_raises_gets_the_same_verdict() -> None:
    """One finding for each place, not one for each place and child."""

    def forward(x: Array, y: Array) -> Any:
        raise ValueError("no")

    at = {"x": AT["x"], "y": AT["x"]}
    functions = {"x": lambda x, y: y, "y": lambda x, y: x}
    for more in ({}, {"wrt": ("x", "y")}):
        plain = cr.check(forward, functions, at=at, **more).to_dict()
        assert cr.check(forward, functions, at=at, **more, isolate=True).to_dict() == plain


def test_a_wrong_call_is_still_an_error() -> None:
    """What cannot be asked is raised as without isolation."""
    with pytest.raises(cr.UsageError, match="needs z"):
        cr.check(cost, {"b": lambda x, z, y: x}, at=AT, isolate=True)


def test_formulas_too() -> None:
    """A function against a formula; and text, on which nothing of the user's runs."""
    d = cr.derive({"f": "sin(x)*y"}, of="f", wrt=("x", "y"))
    claimed = {"x": lambda x, y: y * np.cos(x), "y": lambda x, y: np.sin(x)}
    plain = cr.check(d, claimed).to_dict()
    assert cr.check(d, claimed, isolate=True).to_dict() == plain
    verdict = cr.check(d, {**claimed, "y": lambda x, y: os._exit(7)}, isolate=SOON)
    assert verdict.findings["∂f/∂x"].ok
    reason = "the process ended with exit code 7 while ∂f/∂y was checked"
    assert verdict.findings["∂f/∂y"].reason == reason
    one = cr.derive({"f": "t**2"}, of="f", wrt="t")
    assert cr.check(one, "2*t", isolate=True) == cr.check(one, "2*t")


def test_nobody_is_left_behind(tmp_path: Path) -> None:
    """Processes and threads of the user's end with the child, and hang nobody."""
    file = tmp_path / "pids"

    def forks(x: Array) -> Any:
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
            os._exit(0)
        with file.open("a") as f:
            f.write(f"{pid}\n")
        os._exit(5)

    def detaches(x: Array) -> Any:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            time.sleep(1000)
            os._exit(0)
        with file.open("a") as f:
            f.write(f"{pid}\n")
        threading.Thread(target=time.sleep, args=(1000,)).start()
        return J_b(x)

    verdict = cr.check(cost, {"b": forks}, at=AT, isolate=SOON)
    assert "exit code 5" in verdict.findings["b"].reason
    assert cr.check(cost, {"b": detaches}, at=AT, isolate=cr.Limits(seconds=20)).findings["b"]
    pids = [int(p) for p in file.read_text().split()]
    assert len(pids) >= 2
    for pid in pids:
        for _ in range(200):
            if not _runs(pid):
                break
            time.sleep(0.02)
        assert not _runs(pid)
    assert not multiprocessing.active_children()


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_limits() -> None:
    """What is no limit is refused, with its value; True means the defaults."""
    assert limits_of(None) is None and limits_of(False) is None
    assert limits_of(True) == cr.Limits(60, 4096)
    assert limits_of(SOON) is SOON
    assert (
        cr.Limits(megabytes=4096).memory == "4 GB" and cr.Limits(megabytes=500).memory == "500 MB"
    )
    with pytest.raises(cr.UsageError, match=re.escape("Limits(seconds=0): it must be a positive")):
        cr.Limits(seconds=0)
    with pytest.raises(cr.UsageError, match=re.escape("Limits(megabytes=inf): it must be")):
        cr.Limits(megabytes=float("inf"))
    with pytest.raises(cr.UsageError) as caught:
        cr.check(cost, {"b": J_b}, at=AT, isolate=60)
    assert str(caught.value) == (
        "isolate=60: give True, or chainrule.Limits(seconds=…, megabytes=…)"
    )


def test_where_processes_cannot_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and nothing is run in the open instead."""
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(cr.UsageError) as caught:
        cr.check(cost, {"b": quits}, at=AT, isolate=True)
    assert str(caught.value) == (
        f"isolate= forks the process, which {sys.platform} cannot; check on Linux or macOS, or "
        "leave it out"
    )


def test_assert_derivative_isolated() -> None:
    """The text of the finding is that of the error."""
    with pytest.raises(cr.DerivativeError, match="exit code 3 while quits ran"):
        cr.assert_derivative(cost, {"b": quits}, at=AT, isolate=SOON)
    assert cr.assert_derivative(cost, {"b": J_b}, at=AT, isolate=SOON).ok


def test_a_check_that_is_slow_by_itself() -> None:
    """Where no function of the user's runs, none is accused."""

    def slow() -> Any:
        time.sleep(1000)

    verdict = isolated("f", [Work("J_W", ("W", "b"), slow)], cr.Limits(seconds=0.5))
    assert list(verdict.findings) == ["W", "b"] and verdict.subject == "f"
    assert verdict.findings["b"].reason == (
        "the check of J_W took more than 0.5 s; a higher limit is "
        "isolate=chainrule.Limits(seconds=…)"
    )


def test_verdicts_travel() -> None:
    """Every part of a verdict comes out of a pickle as it went in."""
    for verdict in (
        cr.check(cost, {"W": J_W, "b": J_b, "x": wrong}, at=AT),
        cr.check(cr.derive({"f": "1/t"}, of="f", wrt="t"), "1/t"),
        cr.check(lambda x: np.exp(x), lambda x: np.exp(x), at={"x": 1.0}),
    ):
        again = pickle.loads(pickle.dumps(verdict))
        assert again == verdict and again.to_dict() == verdict.to_dict()
        assert str(again) == str(verdict)
