"""Where a function's code stands: its file, its syntax tree, and the spans of its parts.

A code object is matched with the tree of its file by name, first line and, for lambdas, columns;
the file is compiled again and must hold the very same code, else it has changed since it was
loaded and nothing read from it could be trusted.
"""

from __future__ import annotations

import ast
import linecache
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any

from chainrule.errors import ChainruleError

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Span = tuple[int, int, int, int]  # line, end line, column, end column, as `co_positions` has them


class Unfollowable(ChainruleError):
    """A function that cannot be cloned; the message says which, why, and what to do."""


class NoSource(Unfollowable):
    """A function without a source that belongs to it."""


@dataclass(frozen=True)
class Site:
    """A span of the user's source: what happened, and where.

    file : as Python names it in tracebacks. function : the qualified name of what it stands in.
    line, end_line : from 1. col, end_col : from 0, in characters (not bytes).
    kind : what stands there: call, binary, literal, assign, …
    """

    file: str
    line: int
    end_line: int
    col: int
    end_col: int
    kind: str
    function: str
    lines: tuple[str, ...] = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """The source of the span."""
        rows = list(self.lines[self.line - 1 : self.end_line])
        if not rows:
            return ""
        rows[-1] = rows[-1][: self.end_col]
        rows[0] = rows[0][self.col :]
        return "\n".join(rows)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Source:
    """A file's text with its tree and the code objects that it compiles to."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.lines = tuple(text.split("\n"))
        self.tree = ast.parse(text, file)

    @cached_property
    def codes(self) -> tuple[CodeType, ...]:
        """Every code object of the file, as Python compiles it."""
        top = compile(self.text, self.file, "exec", dont_inherit=True)
        return tuple(_codes(top))

    @cached_property
    def definitions(self) -> dict[tuple[str, int], list[tuple[Definition, str | None]]]:
        """(name, first line) → the definitions there, each with the class that it stands in."""
        found: dict[tuple[str, int], list[tuple[Definition, str | None]]] = {}
        todo: list[tuple[ast.AST, str | None]] = [(self.tree, None)]
        while todo:
            node, owner = todo.pop()
            if isinstance(node, Definition):
                found.setdefault((_name(node), _first_line(node)), []).append((node, owner))
            inside = {id(child) for child in node.body} if isinstance(node, ast.ClassDef) else ()
            for child in ast.iter_child_nodes(node):
                name = (
                    node.name if isinstance(node, ast.ClassDef) and id(child) in inside else owner
                )
                todo.append((child, name))
        return found

    def column(self, line: int, offset: int) -> int:
        """A column in characters from one in UTF-8 bytes."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))

    def site(self, node: Any, kind: str, function: str, last: Any = None) -> Site:
        """The span of a node (or from a node to the `last` one)."""
        last = last or node
        return Site(
            self.file,
            node.lineno,
            last.end_lineno,
            self.column(node.lineno, node.col_offset),
            self.column(last.end_lineno, last.end_col_offset),
            kind,
            function,
            self.lines,
        )


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _name(node: Definition) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def _first_line(node: Definition) -> int:
    """`co_firstlineno`: the line of the first decorator, if there is one."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(d.lineno for d in decorators)])


def _spans(code: CodeType) -> set[Span]:
    """The spans of a code's instructions, where Python kept them."""
    return {p for p in code.co_positions() if None not in p}  # type: ignore[misc]


@contextmanager
def quietly() -> Iterator[None]:
    """Compiles without the warnings that the user saw when the text was loaded."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


_LOCK = threading.RLock()
_SOURCES: dict[str, Source] = {}


def _load(code: CodeType, namespace: dict[str, Any]) -> Source:
    """The file of a code object, parsed once for each text that it had."""
    file = code.co_filename
    linecache.checkcache(file)
    text = "".join(linecache.getlines(file, namespace))
    if not text:
        raise NoSource(
            f"{code.co_qualname}: no source, its code is from {file}; "
            "write it to a file and import it from there"
        )
    known = _SOURCES.get(file)
    if known is None or known.text != text:
        try:
            known = Source(file, text)
        except (SyntaxError, ValueError) as error:
            raise _changed(code) from error
        _SOURCES[file] = known
    return known


def _changed(code: CodeType) -> NoSource:
    return NoSource(
        f"{code.co_qualname}: the file has changed since it was loaded "
        f"({code.co_filename}:{code.co_firstlineno}); import it again"
    )


def locate(code: CodeType, namespace: dict[str, Any]) -> tuple[Source, Definition, str | None]:
    """The source, the definition in its tree, and the class around it, of a code object.

    namespace : the function's globals, for loaders that know sources.
    Raises NoSource where there is none, where it has changed, or where two lambdas on a line
    cannot be told apart (Python was started without columns).
    """
    with quietly():
        source = _load(code, namespace)
        # pytest compiles its own form of `assert`; only the place can be compared there
        if "@pytest_ar" not in code.co_names:
            try:
                same = [c for c in source.codes if c == code and _spans(c) == _spans(code)]
            except SyntaxError as error:
                raise _changed(code) from error
            if not same:
                raise _changed(code)
        found = source.definitions.get((code.co_name, code.co_firstlineno), [])
    if len(found) > 1 and all(isinstance(node, ast.Lambda) for node, _ in found):
        found = _narrowest(found, code)
    if not found:
        raise _changed(code)
    if len(found) > 1:
        raise NoSource(
            f"{code.co_qualname} at {code.co_filename}:{code.co_firstlineno} is one of several "
            "on its line, and Python kept no columns; give each a line of its own"
        )
    return source, *found[0]


def _narrowest(
    found: list[tuple[Definition, str | None]], code: CodeType
) -> list[tuple[Definition, str | None]]:
    """Of several lambdas, the innermost whose body spans all instructions of the code."""
    spans = [((a, c), (b, d)) for a, b, c, d in _spans(code) if (a, c) != (b, d)]
    if not spans:
        return found
    first, last = min(s for s, _ in spans), max(e for _, e in spans)
    fitting = []
    for node, owner in found:
        body: Any = node.body
        start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
        if start <= first and last <= end:
            fitting.append((start, (node, owner)))
    return [max(fitting, key=lambda pair: pair[0])[1]] if fitting else []
