"""What is said of each way; `WAYS` joins the lists."""

from __future__ import annotations

from ways.told import (
    buffered,
    contracted,
    deep,
    elsewhere,
    indexed,
    looped,
    lost,
    places,
    plain,
    statements,
    statistical,
)
from ways.way import Way

#: Every way, in the order of the modules.
WAYS: list[Way] = [
    *plain.WAYS,
    *places.WAYS,
    *elsewhere.WAYS,
    *looped.WAYS,
    *buffered.WAYS,
    *indexed.WAYS,
    *contracted.WAYS,
    *lost.WAYS,
    *deep.WAYS,
    *statistical.WAYS,
    *statements.WAYS,
]
