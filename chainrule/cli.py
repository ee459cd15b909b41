"""The command: reads arguments, calls the public names, prints. Computes nothing.

Heavy rooms are imported when a command needs them, so that `--help` and `--version` answer at once.
Exit codes: 0 right, 1 refuted or disagrees, 2 bad usage or text, 3 inconclusive.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from chainrule import __version__

RIGHT, WRONG, USAGE, UNDECIDED = 0, 1, 2, 3

_EXIT = {
    "proved": RIGHT,
    "agrees": RIGHT,
    "inconclusive": UNDECIDED,
    "disagrees": WRONG,
    "refuted": WRONG,
}


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    """``W=2x3`` as ("W", (2, 3))."""
    name, sign, sizes = text.partition("=")
    try:
        if not sign:
            raise ValueError
        return name.strip(), tuple(int(n) for n in sizes.lower().replace("×", "x").split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no shape; write a name and its sizes, such as w=3 or W=2x3"
        ) from None


def parser() -> argparse.ArgumentParser:
    """The command line, for `--help` and for the docs."""
    main = argparse.ArgumentParser(
        prog="chainrule",
        description="Says whether a derivative written by hand is right: proves it, or shows a "
        "certified point where it is not.",
    )
    main.add_argument("--version", action="version", version=f"chainrule {__version__}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND")
    derive = commands.add_parser(
        "derive",
        help="derive by the chain rule, step by step, and check an answer",
        description="Derive a derivative by the chain rule and print every step.",
        epilog="exit codes: 0 right (or nothing to check), 1 refuted, 2 bad usage or text, "
        "3 inconclusive",
    )
    derive.add_argument(
        "definitions", nargs="+", metavar="DEFINITION", help='such as "f = sin(x)*exp(y*z**2)"'
    )
    derive.add_argument(
        "--wrt",
        required=True,
        action="append",
        metavar="NAME",
        help="the variable; may be repeated",
    )
    derive.add_argument(
        "--of", action="append", metavar="NAME", help="the output; the first definition if left out"
    )
    derive.add_argument("--check", metavar="FORMULA", help="an answer to be checked")
    derive.add_argument(
        "--shape",
        action="append",
        type=_shape,
        default=[],
        metavar="NAME=SIZES",
        help="the shape of a free vector or matrix, such as w=3 or W=2x3",
    )
    derive.add_argument(
        "--positive",
        action="append",
        default=[],
        metavar="NAME",
        help="a free variable that is greater than 0; may be repeated",
    )
    derive.add_argument(
        "--function", action="append", default=[], metavar="NAME", help="an undefined function"
    )
    derive.add_argument(
        "-o", "--output", metavar="FILE", help="write the derivation to FILE (.html or .md) as well"
    )
    report = commands.add_parser(
        "report",
        help="verify the gallery and write the report",
        description="Derive and check everything in the gallery, train the network, and write "
        "one self-contained page.",
        epilog="exit codes: 0 every verdict as expected, 1 not, 2 bad usage",
    )
    report.add_argument(
        "-o", "--output", metavar="FILE", help="where to (default: chainrule-report.html)"
    )
    report.add_argument("--format", choices=("html", "md"), help="default: by FILE's suffix")
    report.add_argument(
        "--iterations",
        type=int,
        default=10_000,
        metavar="N",
        help="steps of gradient descent on the heart curve (default: %(default)s)",
    )
    return main


def _say(text: str) -> None:
    """Print; if the reader of our output has gone, go on, for the exit code still says it."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _check_destination(name: str, format: str | None = None) -> None:
    """Refuse a file that cannot be written before any work is done for it."""
    from pathlib import Path

    from chainrule.errors import UsageError
    from chainrule.pages import FORMATS

    path = Path(name)
    if path.is_dir():
        raise UsageError(f"-o {name}: this is a folder; give the name of a file in it")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"-o {name}: there is no folder {path.resolve().parent}; make it first")
    if format is None and path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"-o {name}: the suffix {path.suffix!r} names no format; use {', '.join(FORMATS)}"
        )


def _derive(options: argparse.Namespace) -> int:
    if options.output:
        _check_destination(options.output)

    from chainrule.corridor import check
    from chainrule.formulas import derive
    from chainrule.text import read_definition

    definitions = [read_definition(d) for d in options.definitions]
    derivation = derive(
        definitions,
        of=options.of or definitions[0][0],
        wrt=options.wrt,
        shapes=dict(options.shape),
        functions=options.function,
        positive=options.positive,
    )
    verdict = None if options.check is None else check(derivation, options.check)
    _say(str(derivation))
    if options.output:
        from chainrule.pages import report

        _tell(f"wrote {report(derivation, options.output)}")
    if verdict is None:
        return RIGHT
    _say(f"\n{options.check}\n{verdict}")
    return RIGHT if verdict.ok else _EXIT[verdict.status]


def _report(options: argparse.Namespace) -> int:
    from chainrule.errors import UsageError

    if options.iterations < 1:
        raise UsageError(f"--iterations {options.iterations}: give at least 1")
    name = options.output or f"chainrule-report.{options.format or 'html'}"
    _check_destination(name, options.format)

    from chainrule.exhibition import exhibition
    from chainrule.pages import report

    shown = exhibition(_tell, options.iterations)
    _say(f"wrote {report(shown, name, format=options.format)}")
    return RIGHT if shown.as_expected else WRONG


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    if options.command is None:
        parser().print_help()
        return USAGE
    from chainrule.errors import ChainruleError

    try:
        return {"derive": _derive, "report": _report}[options.command](options)
    except ChainruleError as error:
        _tell(f"chainrule {options.command}: {error}")
        return USAGE
    except OSError as error:  # a disk that is full, a folder that is not ours
        _tell(f"chainrule {options.command}: {error.filename or options.output}: {error.strerror}")
        return USAGE
    except KeyboardInterrupt:
        _tell("\nchainrule: stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
