"""The laws of the command: what it prints, its exit codes, and that it ends well whatever happens.

Exit codes: 0 right, 1 refuted, 2 bad usage or text, 3 inconclusive.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import chainrule
from chainrule.cli import main

PAGE = ["f = sin(x)*exp(y*z**2)", "x = t - 1", "y = t**2", "z = 1/t"]


def run(
    *arguments: str, environment: dict[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "chainrule", *arguments],
        capture_output=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
    )


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The command in this process: exit code, stdout, stderr."""
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


# ---- derive --------------------------------------------------------------------------------------


def test_derive_prints_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --check: the steps of the very derivation, and 0."""
    code, out, err = ask(capsys, "derive", *PAGE, "--wrt", "t")
    assert (code, err) == (0, "")
    assert out == str(chainrule.derive(PAGE, of="f", wrt="t")) + "\n"
    assert "df/dt = E*cos(t - 1)" in out


@pytest.mark.parametrize(
    ("definitions", "claim", "code", "says"),
    [
        (PAGE, "E*cos(t - 1)", 0, "df/dt is right: proved, for t ≠ 0"),
        (PAGE, "cos(t - 1)", 1, "df/dt is wrong: refuted"),
        (PAGE, "[1, 2]", 1, "the claim has the shape (2)"),
        (["f = t**2"], "2*t*t/t", 1, "it is undefined where t = 0"),
        (
            ["f = log(sin(t) - 2)"],
            "cos(t)/(sin(t) - 2)",
            3,
            "df/dt cannot be decided: inconclusive",
        ),
        (["f = log(sin(t) - 2)"], "7", 3, "no point was found where both sides have a value"),
    ],
)
def test_check_gives_verdict_and_exit_code(
    definitions: list[str],
    claim: str,
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 right, 1 refuted, 3 inconclusive (a function defined nowhere), with the verdict's text."""
    found, out, err = ask(capsys, "derive", *definitions, "--wrt", "t", "--check", claim)
    assert (found, err) == (code, "")
    assert says in out.split(f"\n\n{claim}\n")[1]


def caret(err: str) -> tuple[str, str]:
    """What the carets of a message point at, and what stands before it."""
    text, carets = err.rstrip("\n").split("\n")[-2:]
    start, stop = carets.index("^"), len(carets)
    assert set(carets.strip()) == {"^"}
    return text[start:stop], text[:start].strip()


@pytest.mark.parametrize(
    ("arguments", "message", "spot", "before"),
    [
        (["f = x**2", "--check", "2*x +* 3"], "df/dx: '*' needs something on", "*", "2*x +"),
        (["f = x*y*sni(x)"], "f: unknown function 'sni'; did you mean sin?", "sni(x)", "f = x*y*"),
        (["f = 9**9**9*x"], "f: 9**9**9 has more than 1,233 digits", "9**9**9", "f ="),
        (['f = __import__("os")'], "'__import__' begins with an underscore", "__import__", "f ="),
        (["θ = x*$"], "'$' is not part of a formula", "$", "θ = x*"),
        (["f = x**2", "--check", "2*q"], "unknown name 'q'; known names: f, x", "q", "2*"),
    ],
)  # fmt: skip
def test_bad_text_is_pointed_at(
    arguments: list[str],
    message: str,
    spot: str,
    before: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """2, nothing on stdout, and carets under the very characters."""
    code, out, err = ask(capsys, "derive", *arguments, "--wrt", "x")
    assert (code, out) == (2, "")
    assert err.startswith("chainrule derive: ") and message in err
    assert caret(err) == (spot, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f = y", "y = f", "--wrt", "t"], "f needs y, y needs f"),
        (["f = x", "f = y", "--wrt", "x"], "'f' is defined twice"),
        (["loss = x", "--wrt", "x", "--of", "los"], "did you mean 'loss'?"),
        (["f = W@a", "--wrt", "a", "--shape", "W=3x2", "--shape", "a=3"], "(3×2) @ (3×1)"),
        (["f = a", "--wrt", "a", "--shape", "a=0"], "sizes above 0"),
        (["f = x", "--wrt", "x", "--function", "2s"], "function '2s' is no name"),
        (["x", "--wrt", "x"], "a definition needs '='"),
        (["f = x", "--wrt", "x", "-o", "a.txt"], "the suffix '.txt' names no format"),
        (["f = x", "--wrt", "x", "-o", "no/such/folder.html"], "there is no folder"),
        (["f = x", "--wrt", "x", "-o", "."], "this is a folder"),
    ],
)
def test_bad_definitions_and_files(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 and a message, before anything is printed or written."""
    code, out, err = ask(capsys, "derive", *arguments)
    assert (code, out) == (2, "")
    assert message in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["derive", "f = x"], "--wrt"),
        (["derive", "--wrt", "x"], "DEFINITION"),
        (
            ["derive", "f = x", "--wrt", "x", "--shape", "W=2y3"],
            "'W=2y3' is no shape; write a name",
        ),
        (["derive", "f = x", "--wrt", "x", "--shape", "W"], "'W' is no shape"),
        (["report", "--format", "pdf"], "invalid choice: 'pdf'"),
        (["report", "--iterations", "many"], "invalid int value"),
        (["prove"], "invalid choice: 'prove'"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that makes no sense ends with 2 and says what is wrong with it."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """No command is bad usage, and shows the commands."""
    code, out, _ = ask(capsys)
    assert code == 2
    assert "derive" in out and "report" in out


def test_shapes_and_functions(capsys: pytest.CaptureFixture[str]) -> None:
    """--shape gives vectors and matrices, --function undefined functions, both repeatedly."""
    arguments = ["z = W @ a", "C = sum(z**2) + s(k)", "--of", "C", "--wrt", "W", "--wrt", "k"]
    arguments += ["--shape", "W=2x3", "--shape", "a=3", "--function", "s"]
    code, out, _ = ask(capsys, "derive", *arguments)
    assert code == 0
    assert "W (2×3), k" in out and "∂C/∂k = s'(k)" in out
    code, out, _ = ask(capsys, "derive", "z = W×1", "--wrt", "W", "--shape", "W=2×3")
    assert code == 0 and "∂z/∂W" in out


@pytest.mark.parametrize(("suffix", "begins"), [(".html", "<!doctype html>"), (".md", "#")])
def test_output_file(
    suffix: str, begins: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """-o writes the page as well, says so on stderr, and leaves no temporary file."""
    target = tmp_path / f"page{suffix}"
    code, out, err = ask(
        capsys, "derive", *PAGE, "--wrt", "t", "--check", "cos(t)", "-o", str(target)
    )
    assert code == 1 and "refuted" in out
    assert err == f"wrote {target}\n"
    assert target.read_text(encoding="utf-8").lower().startswith(begins)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder where nobody may write")
def test_a_file_that_cannot_be_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """An operating system's no is 2 and a message, not a traceback."""
    code, _, err = ask(capsys, "derive", "f = x", "--wrt", "x", "-o", "/proc/page.html")
    assert code == 2
    assert err.startswith("chainrule derive: /proc/") and "Traceback" not in err


# ---- the process ---------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_any_output_encoding(encoding: str) -> None:
    """What an encoding lacks is replaced: never a crash, the same exit code."""
    answer = run(
        *("derive", "f = θ*y", "--wrt", "y", "--check", "2*θ"),
        environment={"PYTHONIOENCODING": encoding},
    )
    assert answer.returncode == 1
    assert answer.stderr == b""
    assert "theta" in answer.stdout.decode(encoding)
    wrong = run("derive", "θ = x*", "--wrt", "x", environment={"PYTHONIOENCODING": encoding})
    assert wrong.returncode == 2 and b"Traceback" not in wrong.stderr


def test_bytes_that_are_no_text() -> None:
    """An argument that is no UTF-8 is bad text like any other."""
    answer = subprocess.run(
        [sys.executable, "-m", "chainrule", "derive", b"f = \xff", "--wrt", "x"],
        capture_output=True,
    )
    assert answer.returncode == 2
    assert b"is not part of a formula" in answer.stderr


@pytest.mark.parametrize(("claim", "code"), [("2*x", 0), ("3*x", 1), ("2*x +", 2)])
@pytest.mark.skipif(os.name == "nt", reason="a pipe of POSIX")
def test_a_reader_that_goes_away(claim: str, code: int) -> None:
    """`| head -1`: no traceback, and the exit code still tells the verdict."""
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", "derive", "f = x**2", "--wrt", "x", "--check", claim],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # before the first line is written
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == code
    assert b"Traceback" not in err and b"BrokenPipe" not in err
    assert code == 2 or err == b""


HEAVY = ("sympy", "numpy", "matplotlib", "flint", "hypothesis")
LIGHT = """
import sys
sys.argv = {argv!r}
try:
    {statement}
except SystemExit as end:
    assert not end.code
print(*sorted(set(sys.modules) & set({heavy!r})), sep=",")
"""


@pytest.mark.parametrize(
    ("statement", "argv"),
    [
        ("import chainrule", ["chainrule"]),
        ("from chainrule.cli import main; main()", ["chainrule", "--help"]),
        ("from chainrule.cli import main; main()", ["chainrule", "--version"]),
        ("from chainrule.cli import main; main()", ["chainrule", "derive", "--help"]),
    ],
    ids=["import", "--help", "--version", "derive --help"],
)
def test_import_and_help_load_nothing_heavy(statement: str, argv: Sequence[str]) -> None:
    """`import chainrule`, --help and --version answer at once: neither SymPy nor NumPy is read."""
    code = LIGHT.format(argv=list(argv), statement=statement, heavy=HEAVY)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert answer.stdout.decode().splitlines()[-1] == ""


def test_version_and_help() -> None:
    """--version is the package's; the help of each command tells its exit codes."""
    assert run("--version").stdout.decode().strip() == f"chainrule {chainrule.__version__}"
    for command in ("derive", "report"):
        answer = run(command, "--help")
        assert answer.returncode == 0
        assert b"exit codes:" in answer.stdout


# ---- report --------------------------------------------------------------------------------------


def test_report_is_written(tmp_path: Path) -> None:
    """The gallery verified and written up: 0, the file, progress on stderr, one line on stdout."""
    target = tmp_path / "report.html"
    answer = run("report", "-o", str(target), "--iterations", "50", timeout=120)
    assert answer.returncode == 0, answer.stderr.decode()
    assert answer.stdout.decode() == f"wrote {target}\n"
    progress = answer.stderr.decode().splitlines()
    assert progress[0].startswith("[1/") and progress[-1].endswith("50 iterations")
    page = target.read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>") and "<script" not in page
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "no/such/report.html"], "there is no folder"),
        (["-o", "report.pdf"], "the suffix '.pdf' names no format"),
        (["-o", "."], "this is a folder"),
        (["--iterations", "0"], "--iterations 0: give at least 1"),
    ],
)
def test_report_refuses_before_it_works(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A place where nothing can be written is refused before the gallery is verified."""
    monkeypatch.chdir(tmp_path)
    code, out, err = ask(capsys, "report", *arguments)
    assert (code, out) == (2, "")
    assert message in err and "[1/" not in err
    assert list(tmp_path.iterdir()) == []
