"""What everybody knows by heart, hand-coded: the right form is proved, its near misses refuted.

The corpus is `tests/identities`. What is required of each case is a table: *proved*, but for the
cases that are listed here with the reason why they only agree, or cannot be followed at all.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import chainrule as cr
from tests.identities import Case, both, modules, mutant
from tests.identities import assumptions as assuming

#: Right, and no proof is found yet: case → why. It may shrink; who proves one strikes it out.
AGREES: dict[str, str] = {
    "relu_loop": "a Python if on each entry: proved on the path of the point only",
    "triplet": "a Python if on each row: so too",
    "ce_loop": "labels are read as plain integers: so too",
    "embedding_bag": "indices are read as plain integers: so too",
    "max_pool_1d": "argmax of a slice is read as a plain integer, forward takes the max of two",
    "k_means": "argmin is read as a plain integer for each row",
    "selu": "a mask is read, and written to: slope[low] = …exp(x[low])",
    "smooth_l1": "a mask is read, and written to: out[near] = d[near] / beta",
    "celu": "the sign of α(exp(x/α) − 1) is that of x",
    "cosine_rows": "the root of a product of sums of squares against the product of the roots",
    "attention_causal_rows": "−∞ where the mask is, row by row",
    "haversine": "sines of half an angle, and arcsin of a root",
    "bernoulli": "y = 1 is a condition on a whole number, which a where asks",
    "hardtanh_inside": "the domain [−1, 1] is no rule of a comparison",
}

CORPUS = [(module, case) for module in modules() for case in module.CASES]
IDS = [f"{m.__name__.rsplit('.', 1)[-1]}-{c.id}" for m, c in CORPUS]
MISSES = [(m, c, k) for m, c in CORPUS for k in range(len(c.wrong))]
MISS_IDS = [
    f"{m.__name__.rsplit('.', 1)[-1]}-{c.id}-{c.wrong[k][0].replace(' ', '_')}"
    for m, c, k in MISSES
]


def checked(module: ModuleType, case: Case, **options: Any) -> cr.Verdict:
    """The verdict on a case, by its own options but for those that are given."""
    return cr.check(*both(module, case), at=case.at, **{**case.options, **options})


def required(case: Case) -> tuple[str, ...]:
    """The statuses that a right case may have."""
    return ("proved", "agrees") if case.id in AGREES else ("proved",)


def test_the_corpus_is_large_and_the_lists_name_its_cases() -> None:
    """More than 66 are required to be proved; each case is new, with three near misses or more."""
    ids = [case.id for _, case in CORPUS]
    assert len(ids) == len(set(ids)) and {*AGREES} <= {*ids}
    assert all(AGREES.values())
    assert len(ids) - len(AGREES) >= 66
    for _, case in CORPUS:
        assert len(case.wrong) >= 3 and case.wrong[0][0] == "factor", case.id


@pytest.mark.parametrize(("module", "case"), CORPUS, ids=IDS)
def test_the_right_form(module: ModuleType, case: Case) -> None:
    """It is proved, or agrees where the table says so; its code does not fail at the point."""
    verdict = checked(module, case)
    assert verdict.status in required(case), str(verdict)
    assert verdict.ok, str(verdict)
    for finding in verdict.findings.values():
        assert finding.scope.followed == "traced", str(verdict)


@pytest.mark.parametrize(("module", "case", "number"), MISSES, ids=MISS_IDS)
def test_a_near_miss(module: ModuleType, case: Case, number: int, tmp_path: Path) -> None:
    """It is refuted, by a witness: the formula is judged exactly, a factor 1 + 1e-9 too."""
    verdict = checked(*mutant(module, case, number, tmp_path))
    assert verdict.status == "refuted", str(verdict)
    wrong = [f for f in verdict.findings.values() if f.status == "refuted"]
    assert all(f.witness is not None for f in wrong)


@pytest.mark.parametrize("case", assuming.CASES, ids=lambda c: c.id)
def test_an_assumption_is_needed(case: Case) -> None:
    """Without what is declared of the inputs, the same claim is refuted."""
    verdict = checked(assuming, case, domains=None)
    assert verdict.status == "refuted", str(verdict)
