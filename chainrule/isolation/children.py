"""The parent's side: a child is forked, looked after, and ended with all that it started; and what
it left says what happened.
"""

from __future__ import annotations

import contextlib
import linecache
import math
import os
import re
import signal
import tempfile
import time
import warnings
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.context import ForkContext, ForkProcess
from typing import IO, Any

from pebble import concurrent

from chainrule.code.trace import places
from chainrule.errors import ChainruleError
from chainrule.evidence.calling import is_users
from chainrule.isolation.inside import Note, descendants, in_child
from chainrule.isolation.limits import Found, Limits, Work
from chainrule.verdict import Evidence, Finding, Scope

GRACE = 2.0  # seconds for a child that has given its result to end
LATE = 0.5  # seconds for a child whose time is up to write down where it stands
LOOK = 0.02  # seconds between two looks at the children

SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGBUS": "a bus error",
    "SIGABRT": "an abort",
    "SIGFPE": "an arithmetic fault of the processor",
    "SIGILL": "an instruction that the processor does not know",
    "SIGKILL": "a kill from outside (perhaps the machine had no memory left)",
}


class _Process(ForkProcess):
    """A process that takes along whoever it started, before anybody waits for it."""

    late: float = math.inf  # when its time is up

    def is_alive(self) -> bool:
        """Asked once its result is there, or its time is up: then it ends, with its session."""
        self.end_all(GRACE if time.monotonic() < self.late else 0.0)
        return bool(super().is_alive())

    def gone(self) -> bool:
        """Whether it has ended; it is not waited for, so its number stays its own."""
        try:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self.pid or 0, flags) is not None
        except ChildProcessError:
            return True

    def end_all(self, grace: float = 0.0) -> None:
        """Kill it and its session; grace : seconds for it to end by itself."""
        until = time.monotonic() + grace
        while not self.gone() and time.monotonic() < until:
            time.sleep(LOOK / 4)
        for pid in descendants(self.pid or 0):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for kill in (os.killpg, os.kill):  # the session may not stand yet
            with contextlib.suppress(OSError):
                if self.pid and not (kill is os.kill and self.gone()):
                    kill(self.pid, signal.SIGKILL)


class _Context(ForkContext):
    """Gives `_Process`, and keeps the last one."""

    last: _Process | None = None

    def Process(self, *args: Any, **named: Any) -> _Process:  # type: ignore[override]
        self.last = _Process(*args, **named)
        return self.last


@dataclass
class Child:
    """A function's check in its own process. outcome : what came of it."""

    work: Work
    limits: Limits
    outcome: Found | ChainruleError = field(default_factory=lambda: ("", {}))
    lost: bool = False  # whether nothing came back
    process: _Process | None = None
    begun: float = 0.0
    note: Note = field(default_factory=Note)
    report: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def start(self) -> Future[Any]:
        """Fork, under the lock on bound places: no other thread holds that in the child; and one
        fork at a time, since a pipe that another child holds too would never end."""
        context = _Context()
        options: Any = {"daemon": False, "timeout": self.limits.seconds + LATE, "context": context}
        isolated: Any = concurrent.process
        run = isolated(**options)(in_child)
        with places.LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other threads live: theirs are no locks of ours
            future: Future[Any] = run(self.work, self.limits, self.note, self.report)
        assert context.last is not None
        self.process, self.begun = context.last, time.monotonic()
        self.process.late = self.begun + self.limits.seconds
        return future

    def look(self) -> None:
        """A child that is gone leaves nobody; one that is long overdue goes."""
        assert self.process is not None
        overdue = time.monotonic() - self.begun > self.limits.seconds + 3 * GRACE
        if overdue or self.process.gone():
            self.process.end_all()

    def given_up(self) -> bool:
        """Whether nothing came back although it was ended long ago."""
        return time.monotonic() - self.begun > self.limits.seconds + 9 * GRACE

    def end(self) -> None:
        """Whatever happens: no child outlives the check."""
        if self.process is not None:
            self.process.end_all()
            self.process.join(GRACE)

    def finish(self, future: Future[Any]) -> None:
        """What came back, or why nothing did."""
        try:
            kind, value = future.result(timeout=0)
        except TimeoutError:
            self._lose(self._too_long())
        except Exception as why:
            self._lose(self._ended(getattr(why, "exitcode", None), why))
        else:
            if kind == "said":
                self._lose(value)
            else:
                self.outcome = value

    def close(self) -> None:
        """Give back what is shared with the child."""
        self.report.close()
        self.note.close()

    def _lose(self, reason: str) -> None:
        self.lost = True
        scope, evidence = Scope("none", followed="black box"), Evidence("isolation", reason)
        finding = Finding(self.work.name, "inconclusive", reason, scope, (evidence,))
        self.outcome = ("", dict.fromkeys(self.work.keys, finding))

    def _too_long(self) -> str:
        name, before = self.note.read()
        more = "; a higher limit is isolate=chainrule.Limits(seconds=…)"
        if not name:
            return f"the check of {self.work.name} took more than {self.limits.seconds:g} s{more}"
        earlier = "1 time" if before == 1 else f"{before} times"
        returned = f" (it had returned {earlier} before)" if before else ""
        at = self._where()
        return f"{name} did not return within {self.limits.seconds:g} s{at}{returned}{more}"

    def _ended(self, code: int | None, why: Exception) -> str:
        name, _ = self.note.read()
        doing = f"while {name} ran" if name else f"while {self.work.name} was checked"
        if code is None:
            return f"nothing came back from the process {doing}: {type(why).__name__}: {why}"
        if code >= 0:
            return f"the process ended with exit code {code} {doing}"
        try:
            number = signal.Signals(-code).name
        except ValueError:
            number = f"signal {-code}"
        says = f"{SIGNALS[number]} ({number})" if number in SIGNALS else number
        return f"the process ended by {says} {doing}{self._where()}"

    def _where(self) -> str:
        """The innermost line of the user's that the child wrote down, if it could."""
        self.report.seek(0)
        text = self.report.read(2**20).decode("utf-8", "replace")
        text = text.rpartition("(most recent call first)")[2]  # the main thread stands last
        for path, line in re.findall(r'File "(.*)", line (\d+) in ', text):
            if is_users(path):
                code = linecache.getline(path, int(line)).strip()
                return f" at {path}:{line}" + (f" ({code})" if code else "")
        return ""
