"""Reports: a derivation, a verdict or an exhibition as a page. This room reads, never computes.

`report` writes the file, whole or not at all; `html` and `markdown` beside it make the text.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import UsageError

if TYPE_CHECKING:
    from chainrule.derivation import Derivation
    from chainrule.exhibition import Exhibition
    from chainrule.verdict import Verdict

__all__ = ["report"]

FORMATS = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}


def report(
    thing: Derivation | Verdict | Exhibition,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
) -> Path:
    """Write a report, and return where it is.

    thing : a Derivation, a Verdict or an Exhibition.
    path : the file. It is replaced in one step: whatever goes wrong, it stays as it was.
    format : "html" or "md"; None takes it from the suffix of the path.

    Raises UsageError for another kind of thing, an unknown format, a missing folder, or a path
    that is a folder.
    """
    target = Path(path)
    kind = _format(target, format)
    _must_be_reportable(thing)
    if target.is_dir():
        raise UsageError(f"{str(target)!r} is a folder; give the name of a file in it")
    if not target.parent.is_dir():
        raise UsageError(
            f"{str(target)!r}: there is no folder {str(target.parent)!r}; make it first"
        )
    if kind == "html":
        from chainrule.pages.html import html as render
    else:
        from chainrule.pages.markdown import markdown as render
    _write(target.resolve(), render(thing).encode("utf-8", "replace"))
    return target


def _format(path: Path, format: str | None) -> str:
    if format is not None:
        if format not in ("html", "md"):
            raise UsageError(f"format={format!r}: must be 'html' or 'md'")
        return format
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{str(path)!r}: the suffix {path.suffix!r} names no format; use one of "
            f"{', '.join(FORMATS)}, or give format='html' or format='md'"
        ) from None


def _must_be_reportable(thing: object) -> None:
    from chainrule.derivation import Derivation
    from chainrule.exhibition import Exhibition
    from chainrule.verdict import Verdict

    if not isinstance(thing, Derivation | Verdict | Exhibition):
        raise UsageError(
            f"a report shows a Derivation, a Verdict or an Exhibition, not {thing!r:.80} "
            f"({type(thing).__name__}); make one with derive or check"
        )


def _write(target: Path, content: bytes) -> None:
    """Replace a file in one step, keeping its permissions; a new one gets the usual ones."""
    beside = target.with_name(f".chainrule-{secrets.token_hex(8)}.tmp")
    try:
        # O_EXCL: never write through a file or a link that somebody else put there.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(beside, stat.S_IMODE(target.stat().st_mode))
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
