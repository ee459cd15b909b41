"""Every trap of tests/traps gets a verdict that it allows, and says what it must say.

A proof where none may be, a refutation of what is right, an exception of ours: each fails here.
"""

from __future__ import annotations

import pytest

import chainrule as cr
from tests.traps import PROVED, STATUSES, Trap, collected

ALL = collected()


def parameter(one: Trap) -> object:
    """A trap as a test; one that is known to catch us must go on to do so until it is mended."""
    marks = [pytest.mark.xfail(reason=one.bug, strict=True)] if one.bug else []
    return pytest.param(one, id=one.id, marks=marks)


@pytest.mark.parametrize("one", [parameter(t) for t in ALL])
def test_a_trap_is_passed(one: Trap) -> None:
    """The verdict is one of those allowed, and its text holds what it must, and nothing it must
    not."""
    forward, claimed = one.make()
    before = repr(dict(one.at or {}))
    sides = (forward,) if claimed is None else (forward, claimed)
    verdict = cr.check(*sides, at=one.at, **one.options)
    text = str(verdict)
    assert verdict.status in one.verdict, f"{one.why}\n{text}"
    for words in one.says:
        assert words in text, f"{words!r} is not said\n{text}"
    for words in one.never:
        assert words not in text, f"{words!r} is said\n{text}"
    assert repr(dict(one.at or {})) == before


def test_the_list_is_long_and_every_trap_can_fail() -> None:
    """≥ 100 traps, each named once, each forbidding something; a reason in words for each."""
    assert len(ALL) >= 100 and len({t.id for t in ALL}) == len(ALL)
    for one in ALL:
        assert one.verdict <= STATUSES and one.verdict and len(one.why) > 3
        assert one.verdict < STATUSES or one.says or one.never, f"{one.id} cannot fail"


def test_false_proofs_and_false_refutations_are_both_looked_for() -> None:
    """A third of the list at least would be passed by no checker that always answers the same."""
    no_proof = [t for t in ALL if not PROVED & t.verdict]
    no_refutation = [t for t in ALL if "refuted" not in t.verdict]
    assert len(no_proof) >= len(ALL) / 3 and len(no_refutation) >= len(ALL) / 5
