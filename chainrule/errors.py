"""What can go wrong, one class for each failure. Imports nothing of chainrule.

Every message names the thing as the user wrote it, shows the value, and ends with what to do.
"""

from __future__ import annotations

from typing import Any


class ChainruleError(Exception):
    """The base of every error that chainrule raises on purpose."""


class TextError(ChainruleError, ValueError):
    """A text that is no formula, with the spot in it.

    message : what is wrong and what to do.
    text : the whole text as the user gave it.
    position : the offset, in characters, of the first character concerned.
    length : how many characters are concerned (≥ 1).
    name : what the text defines, where it defines something.

    `str()` shows one line of the text (a window of it, if it is long) with a caret under the spot.
    """

    def __init__(
        self, message: str, text: str, position: int = 0, length: int = 1, name: str | None = None
    ) -> None:
        self.message = message
        self.text = text
        self.position = min(max(position, 0), len(text))
        self.length = max(length, 1)
        self.name = name
        super().__init__(message, text, position, length, name)

    def __str__(self) -> str:
        before, after = 36, 36
        start = max(self.position - before, 0)
        stop = min(self.position + after, len(self.text))
        head = "…" if start else ""
        tail = "…" if stop < len(self.text) else ""
        line = "".join(c if c.isprintable() else " " for c in self.text[start:stop])
        carets = "^" * max(1, min(self.length, stop - self.position))
        label = f"{self.name}: " if self.name else ""
        pad = " " * (len(head) + self.position - start)
        return f"{label}{self.message}\n  {head}{line}{tail}\n  {pad}{carets}"


class DefinitionError(ChainruleError, ValueError):
    """Definitions that do not fit together: an unknown name, a cycle, a name defined twice."""


class ShapeError(DefinitionError):
    """Shapes that do not fit, each of them named."""


class UsageError(ChainruleError, TypeError):
    """A call that makes no sense: a wrong kind of argument, an unknown option."""


class TraceError(ChainruleError):
    """Code that could not be followed: the user's file and line, the call, and what to do."""


class BudgetError(ChainruleError):
    """A computation that would need more operations than its budget allows."""


class DerivativeError(ChainruleError, AssertionError):
    """A derivative that was found wrong, or not sure enough; `verdict` says everything.

    It is an AssertionError, so that a test runner shows it as a failure and not as an error.
    """

    def __init__(self, verdict: Any) -> None:
        self.verdict = verdict
        super().__init__(str(verdict))


class ContradictionError(ChainruleError, RuntimeError):
    """A proof and a certified witness that say the opposite: a bug of ours. Please report it."""
