"""Hand-written gradients as people publish them, right ones and wrong ones, in everyday NumPy.

Each module holds functions and a table CASES: the names of a forward and a backward function, a
point, and what to change in the source of which function to make it wrong. A wrong variant is the
same module with one piece of text replaced, in a file of its own.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = ("layers", "recurrent", "losses", "models", "classics")


@dataclass(frozen=True)
class Case:
    """forward, backward : names in the module, dots allowed. at, options : as `check` takes them.

    within : the function whose text is changed, backward if empty. wrong : (what is wrong, text,
    what stands there instead).
    """

    id: str
    forward: str
    backward: str
    at: Mapping[str, Any]
    wrong: tuple[tuple[str, str, str], ...] = ()
    within: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def modules() -> Iterator[ModuleType]:
    """The modules of the corpus."""
    for name in MODULES:
        yield importlib.import_module(f"{__name__}.{name}")


def both(module: ModuleType, case: Case) -> tuple[Any, Any]:
    """The forward and the backward function of a case."""
    return attrgetter(case.forward)(module), attrgetter(case.backward)(module)


def mutant(module: ModuleType, case: Case, number: int, folder: Path) -> tuple[ModuleType, Case]:
    """The module with one wrong variant in it, and the case there."""
    _, old, new = case.wrong[number]
    assert module.__file__ is not None
    text = Path(module.__file__).read_text("utf-8")
    name = (case.within or case.backward).rsplit(".", 1)[-1]
    found = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == name
    ]
    assert len(found) == 1, f"{name} is defined {len(found)} times"
    lines = text.splitlines(keepends=True)
    first, last = found[0].lineno - 1, found[0].end_lineno
    body = "".join(lines[first:last])
    assert body.count(old) == 1, f"{case.id}: {old!r} occurs {body.count(old)} times in {name}"
    lines[first:last] = [body.replace(old, new)]
    path = folder / f"wrong_{case.id}_{number}.py"
    path.write_text("".join(lines), "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made
    spec.loader.exec_module(made)
    return made, next(c for c in made.CASES if c.id == case.id)
