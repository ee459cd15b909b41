"""The command: what it prints, its exit codes, and what it does not import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.cli import main

PAGE = ["f = sin(x)*exp(y*z**2)", "x = t - 1", "y = t**2", "z = 1/t", "--wrt", "t"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "chainrule", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


@pytest.mark.parametrize(
    ("claim", "code", "says"),
    [
        ("E*cos(t-1)", 0, "df/dt is right: proved, for t ≠ 0"),
        ("cos(t-1)", 1, "df/dt is wrong: refuted"),
        ("cos(q)", 2, "unknown name 'q'"),
        ("E*cos(t-1", 2, "never closed"),
    ],
)
def test_check_and_its_exit_code(
    claim: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 right, 1 refuted, 2 bad text: with the verdict on stdout, errors on stderr."""
    assert main(["derive", *PAGE, "--check", claim]) == code
    out, err = capsys.readouterr()
    assert says in (err if code == 2 else out)
    assert ("8. Second route" in out) == (code != 2)


def test_inconclusive_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    """A claim that has no value at any point tried is neither right nor wrong."""
    deep = "exp(exp(exp(exp(exp(x**2 + 9)))))"
    assert main(["derive", f"f = {deep}", "--wrt", "x", "--check", f"{deep}*x"]) == 3
    assert "cannot be decided: inconclusive" in capsys.readouterr().out


def test_the_caret_is_under_the_spot(capsys: pytest.CaptureFixture[str]) -> None:
    """A message points at the character that is wrong."""
    assert main(["derive", "f = x +* 2", "--wrt", "x"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "  f = x +* 2"
    assert lines[2].index("^") == lines[1].index("*")


def test_shapes_functions_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--shape, --function and -o do what `derive` and `report` do."""
    page = tmp_path / "layer.html"
    arguments = ["a = sigma(W @ x)", "--wrt", "x", "--shape", "W=2x3", "--shape", "x=3"]
    assert main(["derive", *arguments, "--function", "sigma", "-o", str(page)]) == 0
    assert "(2×3)" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(SystemExit) as stop:
        main(["derive", "f = x", "--wrt", "x", "--shape", "x=two"])
    assert stop.value.code == 2
    assert "'x=two' is no shape; write a name and its sizes" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    """They answer at once: neither SymPy nor NumPy is loaded."""
    code = (
        "import sys\n"
        "from chainrule.cli import main\n"
        "try:\n"
        f"    main([{option!r}])\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0\n"
        "assert not {'sympy', 'numpy', 'flint', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_command_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing asked is bad usage, with the help."""
    assert main([]) == 2
    assert "report" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["html", "md"])
def test_report(form: str, tmp_path: Path) -> None:
    """The whole gallery, each verdict as expected: exit code 0, progress on stderr, one file."""
    done = run("report", "--iterations", "50", "-o", str(tmp_path / f"page.{form}"))
    assert done.returncode == 0, done.stderr
    assert "[1/22] The total derivative" in done.stderr and "wrote" in done.stdout
    text = (tmp_path / f"page.{form}").read_text(encoding="utf-8")
    assert "J_W1" in text and "refuted" in text and "<script" not in text
    assert [p.name for p in tmp_path.iterdir()] == [f"page.{form}"]


def test_a_missing_folder_is_said_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the report cannot be written, nothing is computed first."""
    assert main(["report", "-o", "no/such/folder/page.html"]) == 2
    err = capsys.readouterr().err
    assert "there is no folder" in err and "[1/" not in err
    assert main(["report", "--iterations", "0"]) == 2
    assert "give at least 1" in capsys.readouterr().err


def test_an_ascii_terminal_does_not_crash() -> None:
    """What a terminal cannot show is replaced."""
    done = run("derive", "f = 5*x", "--wrt", "x", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "df/dx = 5" in done.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    """`chainrule derive … | head -1` ends quietly."""
    command = f'"{sys.executable}" -m chainrule derive "f = sin(x)" --wrt x | head -1'
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("1. Definitions") and "Traceback" not in done.stderr
