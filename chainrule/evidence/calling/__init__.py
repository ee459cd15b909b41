"""Whether a function of the user's keeps to the contract of a derivative, at the user's own point.

It is called with copies: it returns what it says, real arrays of the right shapes, the same when
it is called again; it writes to nothing that it was given or can reach. Only a wrong shape, or no
value at all, shows that a derivative is wrong; what else breaks the contract leaves that open.

Writing to what it was given, or to what it can reach, does harm whatever the derivative is: a
finding of its own, inconclusive, beside that of the derivative, which stands. Shared memory and
coarser numbers may do harm to a caller who writes: a remark of its own, and the verdict stays ok
(`remarks` says why).
"""

from chainrule.evidence.calling.binding import (
    arguments,
    caller,
    parse_root,
    places,
    point,
    with_places,
)
from chainrule.evidence.calling.counting import forward_counts
from chainrule.evidence.calling.lines import is_users, where, words
from chainrule.evidence.calling.record import (
    ENTRY,
    Caller,
    Contract,
    Fault,
    Values,
    part_of,
    parts,
    shown,
)
from chainrule.evidence.calling.returned import wanted_shape
from chainrule.evidence.calling.rules import contract, unnamed

__all__ = [
    "ENTRY",
    "Caller",
    "Contract",
    "Fault",
    "Values",
    "arguments",
    "caller",
    "contract",
    "forward_counts",
    "is_users",
    "parse_root",
    "part_of",
    "parts",
    "places",
    "point",
    "shown",
    "unnamed",
    "wanted_shape",
    "where",
    "with_places",
    "words",
]
