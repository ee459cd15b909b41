"""The functions that stand between the user's call style and the judge, and nothing else.

Each is cloned with the user's code (`Hook.follows` knows this module), so it binds no arrays to
names and computes nothing: it calls the user's functions, and picks from what they return. A free
variable named `self` is where places such as `self.W` are looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Arguments = Callable[..., tuple[Any, Any]]
Function = Callable[..., Any]


def picked(function: Function, at: Any) -> Function:
    """What a function returns at an index, a slice or a key."""

    def adapted(*args: Any, **named: Any) -> Any:
        return function(*args, **named)[at]

    return adapted


def passed(function: Function, named_as: Function) -> Function:
    """What becomes of a function's result."""

    def adapted(*args: Any, **named: Any) -> Any:
        return named_as(function(*args, **named))

    return adapted


def closed(
    function: Function, at: Any, split: Arguments, arguments: Arguments, named_as: Function | None
) -> Function:
    """What one of a function's results returns, which is its backward pass.

    split : (args, named) → those of the function. arguments : likewise → those of the closure.
    named_as : what becomes of the result; None leaves it.
    """

    def adapted(*args: Any, **named: Any) -> Any:
        mine = split(args, named)
        closure = function(*mine[0], **mine[1])[at]
        theirs = arguments(args, named)
        if named_as is None:
            return closure(*theirs[0], **theirs[1])
        return named_as(closure(*theirs[0], **theirs[1]))

    return adapted


def pulled(
    forward: Function,
    backward: Function,
    split: Arguments,
    arguments: Arguments,
    named_as: Function | None,
) -> Function:
    """backward after forward, at one point.

    arguments : (args, named, what forward returned) → those of backward. named_as : what becomes
    of the result; None leaves it.
    """

    def adapted(*args: Any, **named: Any) -> Any:
        mine = split(args, named)
        theirs = arguments(args, named, forward(*mine[0], **mine[1]))
        if named_as is None:
            return backward(*theirs[0], **theirs[1])
        return named_as(backward(*theirs[0], **theirs[1]))

    return adapted


def with_both(function: Function, context: Callable[[], Any]) -> Function:
    """A function whose first argument is a fresh context; that is returned too, as a cache."""

    def adapted(*args: Any, **named: Any) -> Any:
        both = [context()]
        return function(both[0], *args, **named), both[0]

    return adapted


def held(self: Any, forward: Function, read: Function | None) -> Function:
    """An object's forward pass; `read` says what it left where, if it returns nothing."""

    def adapted(*args: Any, **named: Any) -> Any:
        if read is None:
            return forward(self, *args, **named)
        forward(self, *args, **named)
        return read(self)

    return adapted


def ridden(
    self: Any,
    before: tuple[Function, ...],
    forward: Function,
    backward: Function,
    split: Arguments,
    arguments: Arguments,
    gather: Function,
) -> Function:
    """An object's backward pass after its forward pass, and what both left in it.

    before : methods called first, such as `zero_grad`. gather : (object, what backward returned)
    → place → derivative.
    """

    def adapted(*args: Any, **named: Any) -> Any:
        for prepare in before:
            prepare(self)
        mine = split(args, named)
        theirs = arguments(args, named, forward(self, *mine[0], **mine[1]))
        found = gather(self, backward(self, *theirs[0], **theirs[1]))
        return dict(map(copied, found.items()))

    return adapted


def copied(pair: tuple[str, Any]) -> tuple[str, Any]:
    """A place and its derivative, as the object's next pass cannot change it."""
    return pair[0], np.array(pair[1]) if isinstance(pair[1], np.ndarray | list) else pair[1]


def without_self(function: Function) -> Function:
    """A function in a method's seat: the object is not handed on."""

    def adapted(self: Any, *args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return adapted
