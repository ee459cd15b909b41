"""Which lines are the user's: of this package, of installed ones and of Python's own none is."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

#: Where code lies that is not the user's: this package, installed ones, Python's own.
LIBRARIES = tuple(
    path + os.sep
    for path in {
        str(Path(__file__).parents[2]),
        *(sysconfig.get_path(k) for k in ("purelib", "platlib", "stdlib", "platstdlib")),
    }
)


def is_users(path: str) -> bool:
    """Whether a file is the user's; what a gallery holds is what is checked, so it counts."""
    library = path.startswith(LIBRARIES) and "gallery" not in Path(path).parts
    return not library and not path.startswith("<")


def words(why: BaseException) -> str:
    """What an exception says, and nothing where it cannot even say that."""
    try:
        return f": {why}" if str(why) else ""
    except Exception:
        return ""


def where(why: BaseException) -> str:
    """`` at net.py:31 (J = J @ a1.T)``: the innermost line of the user's."""
    for frame in reversed(traceback.extract_tb(why.__traceback__)):
        if is_users(frame.filename):
            code = f" ({frame.line})" if frame.line else ""
            return f" at {frame.filename}:{frame.lineno}{code}"
    return ""
