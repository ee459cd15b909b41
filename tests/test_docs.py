"""What the docs print from tables is what the tables hold. (Examples run as doctests.)"""

from __future__ import annotations

import re
from pathlib import Path

from chainrule.text import FUNCTIONS

ROOT = Path(__file__).parent.parent


def test_language_lists_every_function() -> None:
    """docs/language.md names the functions of the parser's table, all and only them."""
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    listed = page.split("act entry by entry on vectors and matrices:")[1].split("`sum`, `mean`")[0]
    assert re.findall(r"`(\w+)`", listed) == sorted(FUNCTIONS)


def test_links_lead_somewhere() -> None:
    """Every relative link in README and docs names a file that is there."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


def test_readme_has_the_two_commands_that_ci_runs() -> None:
    """`.ci/run` takes its commands from the README, by these marks."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for mark, ends in (("report", "chainrule report"), ("tests", "pytest -n auto")):
        block = readme.split(f"<!-- {mark} -->")[1].split("<!-- end -->")[0]
        assert block.strip().strip("`").strip().endswith(ends)
