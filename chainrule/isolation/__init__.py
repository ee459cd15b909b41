"""Code that may do anything, run in child processes with limits; only findings come back.

Each function of the user's has a child of its own, in which the forward code runs too: whatever
one does (never return, end the process, take all memory), the findings of the others stand. What
happened is said in an inconclusive finding; a child that is lost never tells right from wrong.
The children are forked, so that lambdas and closures go along as they are; no more than two run at
a time. A child leads a session of its own, and all of that session ends with it; a process of the
user's that left the session, and whose parent had ended by itself, is not found. This holds off
accidents and bugs; it is no sandbox for code that was written to do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from chainrule.errors import ChainruleError
from chainrule.isolation.limits import Found, Limits, Work, limits_of
from chainrule.verdict import Finding, Verdict

AT_A_TIME = 2


def isolated(subject: str, works: Sequence[Work], limits: Limits) -> Verdict:
    """The verdict of all, each in a child of its own.

    subject : what is checked, where no child can say it. Raises what a child raised of ours, the
    first in order, as the check without children would.
    """
    from chainrule.isolation.children import LOOK, Child  # no system without fork has its parts

    children = [Child(work, limits) for work in works]
    waiting, running = list(children), dict[Future[Any], Child]()
    try:
        while waiting or running:
            while waiting and len(running) < AT_A_TIME:
                child = waiting.pop(0)
                running[child.start()] = child
            done, _ = wait(running, timeout=LOOK, return_when=FIRST_COMPLETED)
            given_up = {future for future, child in running.items() if child.given_up()}
            for future in done | given_up:
                running.pop(future).finish(future)
            for child in running.values():
                child.look()
    finally:
        for child in running.values():
            child.end()
        for child in children:
            child.close()
    findings: dict[str, Finding] = {}
    for child in children:
        if isinstance(child.outcome, ChainruleError):
            raise child.outcome
    for child in children:
        assert not isinstance(child.outcome, ChainruleError)
        for key, finding in child.outcome[1].items():
            unique, n = key, 1
            while unique in findings:
                n += 1
                unique = f"{key} ({n})"
            findings[unique] = finding
    said = [c.outcome[0] for c in children if not c.lost and isinstance(c.outcome, tuple)]
    return Verdict(said[0] if said else subject, findings)


__all__ = ["Found", "Limits", "Work", "isolated", "limits_of"]
