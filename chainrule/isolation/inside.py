"""The child's side: the limits are set, one function is checked, and what runs is noted where the
parent can read it even if this process does not live to say.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import mmap
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import IO, Any

from chainrule.code.trace import places
from chainrule.errors import ChainruleError
from chainrule.evidence.calling import where, words
from chainrule.isolation.limits import Limits, Work

PR_SET_PDEATHSIG = 1


class Note:
    """A page that both processes see: which function runs, and how often it had returned."""

    HEAD = struct.Struct("=QH")

    def __init__(self) -> None:
        self.page = mmap.mmap(-1, mmap.PAGESIZE)
        self.returned: dict[str, int] = {}

    def write(self, name: str) -> None:
        """Say that a function runs; "" for none of the user's."""
        text = name.encode("utf-8", "replace")[:500]
        head = self.HEAD.pack(self.returned.get(name, 0), len(text))
        self.page[: len(head) + len(text)] = head + text

    def read(self) -> tuple[str, int]:
        count, length = self.HEAD.unpack(self.page[: self.HEAD.size])
        text = self.page[self.HEAD.size : self.HEAD.size + min(length, 500)]
        return text.decode("utf-8", "replace"), count

    def close(self) -> None:
        self.page.close()

    @contextlib.contextmanager
    def running(self, name: str, limits: Limits) -> Iterator[None]:
        """While a function of the user's runs."""
        self.write(name)
        try:
            yield
        except MemoryError as why:
            more = f" ({why})" if str(why) else ""
            says = f"it asked for more memory than {limits.memory}{more}"
            raise MemoryError(says).with_traceback(why.__traceback__) from None
        self.returned[name] = self.returned.get(name, 0) + 1
        self.write("")


def in_child(work: Work, limits: Limits, note: Note, report: IO[bytes]) -> tuple[str, Any]:
    """("found", findings), ("found", an error of ours) or ("said", why there is nothing)."""
    places.LOCK.release()  # taken by the parent for the fork
    os.setsid()
    _dying_with_parent()
    _silenced()
    faulthandler.enable(report)
    faulthandler.dump_traceback_later(limits.seconds, file=report)
    call = places.Prepared.call

    def noted(self: places.Prepared, target: Any, leaf: Any) -> Any:
        with note.running(places.said(self.function), limits):
            return call(self, target, leaf)

    places.Prepared.call = noted  # type: ignore[method-assign] # here only: this process ends
    try:
        with _memory(limits):
            return "found", work.run()
    except ChainruleError as error:
        return "found", error
    except BaseException as why:
        name = note.read()[0]
        does = f"{name} raised" if name else f"the check of {work.name} ended in"
        return "said", f"{does} {type(why).__name__}{where(why)}{words(why)}"
    finally:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _dying_with_parent() -> None:
    """Where the system can (Linux): a child does not outlive a parent that was killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _silenced() -> None:
    """What is printed goes nowhere: it may have no end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")


@contextlib.contextmanager
def _memory(limits: Limits) -> Iterator[None]:
    """No more memory than what is in use and the limit; no memory is written to disk at an end."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * mmap.PAGESIZE
    except OSError:
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    most = used + int(limits.megabytes * 2**20)
    ceilings = [n for n in (most, soft, hard) if n != resource.RLIM_INFINITY]
    with contextlib.suppress(ValueError, OSError):  # a system without such a limit
        resource.setrlimit(resource.RLIMIT_AS, (min(ceilings), hard))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def descendants(pid: int) -> list[int]:
    """Processes that a process started, and theirs, as far as the system tells."""
    found: list[int] = []
    todo = [pid]
    while todo:
        one = todo.pop()
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children", encoding="ascii") as file:
                    children = [int(c) for c in file.read().split()]
                found += children
                todo += children
    return found
