"""The house stands: imports point up the table, and `docs/architecture.md` prints that table."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

ROOT = Path(chainrule.__file__).parent
ARCHITECTURE = ROOT.parent / "docs" / "architecture.md"

#: From the ground up: a room may import rooms above it in this table, and third parties by name.
TABLE: dict[str, tuple[str, ...]] = {
    "gallery": ("numpy",),
    "errors": (),
    "verdict": (),
    "typeset": ("sympy",),
    "derivation": ("numpy", "sympy"),
    "text": ("sympy",),
    "algebra": ("flint", "sympy"),
    "points": ("sympy",),
    "domains": ("numpy",),
    "graph": ("numpy", "sympy"),
    "values": ("flint", "numpy", "sympy"),
    "proof": ("flint", "numpy"),
    "code": ("numpy",),
    "formulas": ("numpy", "sympy"),
    "deriving": (),
    "claim": ("numpy", "sympy"),
    "evidence": ("flint", "numpy", "sympy"),
    "judge": ("flint", "numpy", "sympy"),
    "isolation": ("pebble",),
    "corridor": ("numpy", "sympy"),
    "layers": ("flint", "numpy", "sympy"),
    "strategies": ("hypothesis", "numpy", "sympy"),
    "exhibition": ("numpy",),
    "pages": ("fontTools", "latex2mathml", "matplotlib", "numpy", "sympy"),
    "cli": (),
}

#: Calls that reach down, when they are called: a derivation's and a claim's methods, the public
#: names.
REACHES_DOWN = {
    ("derivation", "values"),
    ("derivation", "graph"),
    ("derivation", "corridor"),
    ("claim", "corridor"),
}


def room(path: Path) -> str:
    """The room that a file belongs to: the folder or the module directly under chainrule/."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def files() -> list[Path]:
    """Every module but the two doors, `__init__` and `__main__`."""
    doors = (ROOT / "__init__.py", ROOT / "__main__.py")
    return [p for p in sorted(ROOT.rglob("*.py")) if p not in doors]


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether only for type checkers) for every import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(a.name, id(node) in typing_only) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # a neighbor in the same room
                assert node.level == 1 and path.parent != ROOT, f"{path.name}:{node.lineno}"
                continue
            module = str(node.module)
            names = [f"{module}.{a.name}" for a in node.names] if module == "chainrule" else []
            found += [(m, id(node) in typing_only) for m in names or [module]]
    return found


def faults(path: Path) -> list[str]:
    """What a file imports against the table."""
    here = room(path)
    order = list(TABLE)
    out = []
    for module, typing_only in imports(path):
        top, _, rest = module.partition(".")
        if top == "chainrule":
            there = rest.split(".")[0]
            if there in ("__version__", "") or there == here or typing_only:
                continue
            if here == "gallery":
                out.append(f"{path.name} imports {module}: the gallery shares nothing")
            elif (here, there) not in REACHES_DOWN and order.index(there) > order.index(here):
                out.append(f"{path.name} imports {module}, which is further down")
        elif top not in sys.stdlib_module_names and top not in TABLE[here]:
            out.append(f"{path.name} imports {module}, which {here} may not")
    return out


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_up(path: Path) -> None:
    """A room imports only rooms above it in the table, and only its own third parties."""
    assert faults(path) == []


def test_every_room_is_in_the_table() -> None:
    """Rooms and table are the same set."""
    assert {room(p) for p in files()} == set(TABLE)


def test_policies_do_not_import_each_other() -> None:
    """Evidence policies stand side by side."""
    for path in (ROOT / "evidence").glob("*.py"):
        assert not [m for m, _ in imports(path) if m.startswith("chainrule.evidence")], path.name


def test_a_wrong_import_is_noticed(tmp_path: Path) -> None:
    """The test above can fail: an import downward, and a foreign one, are both faults."""
    bad = ROOT / "algebra.py"
    text = "import torch\nfrom chainrule.judge.formula import judge_formula\n"
    tree = ast.parse(text)
    modules = [n.names[0].name if isinstance(n, ast.Import) else n.module for n in tree.body]  # type: ignore[attr-defined]
    assert modules == ["torch", "chainrule.judge.formula"]
    copy = tmp_path / "algebra.py"
    copy.write_text(text)
    assert room(bad) == "algebra"
    found = [
        m
        for m, _ in imports(copy)
        if m == "torch" or list(TABLE).index(m.split(".")[1]) > list(TABLE).index("algebra")
    ]
    assert found == ["torch", "chainrule.judge.formula"]


def test_only_lower_lambdifies_and_nothing_evaluates_text() -> None:
    """`lambdify` stands in graph/lower alone; eval, exec and parse_expr nowhere."""
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = ""
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).split(".")[-1]
            if name == "lambdify":
                assert path.relative_to(ROOT).parts == ("graph", "lower.py"), path.name
            assert name not in ("eval", "exec", "parse_expr"), f"{path.name}: {name}"


def printed_table() -> str:
    """The import table as docs/architecture.md prints it."""
    rows = ["| room | may import, besides the rooms above it |", "|---|---|"]
    rows += [f"| `{name}` | {', '.join(parties) or '–'} |" for name, parties in TABLE.items()]
    return "\n".join(rows)


def test_architecture_prints_this_table() -> None:
    """docs/architecture.md shows the very table that is tested."""
    assert printed_table() in ARCHITECTURE.read_text(encoding="utf-8")


def test_importing_chainrule_costs_nothing() -> None:
    """`import chainrule` loads neither SymPy nor NumPy; a public name loads its room."""
    code = (
        "import sys, chainrule\n"
        "assert not {'sympy', 'numpy', 'matplotlib', 'flint'} & set(sys.modules)\n"
        "chainrule.UsageError\n"
        "assert 'sympy' not in sys.modules\n"
        "import chainrule.corridor, chainrule.pages\n"
        "assert callable(chainrule.check) and callable(chainrule.report)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_public_names_exist() -> None:
    """Every public name loads; an unknown one is an AttributeError."""
    for name in chainrule.__all__:
        assert getattr(chainrule, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'prove'"):
        chainrule.prove  # noqa: B018
