"""A function run once, with its values riding along, becomes a frozen `Trace`.

What looks at a value or a size becomes a guard of the path; a size that leaves as a plain integer
fixes its axis, and says so; what cannot be followed is a `TraceError`. A trace is handed out only
after an audit: at fresh points, and at fresh sizes, its graph gives what the function gives.
"""

from chainrule.code.trace.record import Call, Event, Guard, Trace

__all__ = ["Call", "Event", "Guard", "Trace"]
