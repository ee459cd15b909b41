"""What a clone's call keeps: versions of its names, and holders that Python's own syntax works on.

A short circuit is Python's `and` over holders whose truth is the hook's; a store is an assignment
to a holder's property. So order and laziness are Python's, not a copy of them.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from chainrule.code.rewrite import FRAME, HOOK, OF_THE_FRAME, SITES
from chainrule.code.source import Site

if TYPE_CHECKING:
    from chainrule.code.instrument import Hook


class Frame:
    """One call of a user's function: versions of its names, and what its expressions hold.

    hook, function (qualified name), site : whose call it is, and where it is defined.
    """

    __slots__ = ("chain", "function", "hook", "site", "turns", "versions")

    def __init__(self, hook: Hook, function: str, site: Site) -> None:
        self.hook = hook
        self.function = function
        self.site = site
        self.versions: dict[str, int] = {}
        self.turns: dict[Site, int] = {}
        self.chain: list[Any] = []

    slice = slice

    def version(self, name: str) -> int:
        """The number of a name's next binding in this call, from 1."""
        number = self.versions[name] = self.versions.get(name, 0) + 1
        return number

    def heard(self, name: str, value: Any, site: Site) -> bool:
        """Tells of a binding that is not to be replaced."""
        self.hook.assign(name, value, self.version(name), site)
        return True

    def loop(self, site: Site) -> None:
        """A while loop begins."""
        self.turns[site] = 0

    def turn(self, site: Site) -> None:
        """A while loop's next turn."""
        self.turns[site] += 1
        self.hook.iteration(site, self.turns[site])

    def truth(self, value: Any, site: Site, kind: str) -> _Truth:
        """An operand of and/or."""
        return _Truth(self, value, site, kind, False)

    def opened(self, left: Any, right: Any, op: str, site: Site, last: bool, kind: str) -> _Truth:
        """The first link of a chained comparison."""
        value = self.hook.compare(op, left, right, site)
        self.chain.append(right)
        return _Truth(self, value, site, "compare", True)

    def linked(self, right: Any, op: str, site: Site, last: bool, kind: str) -> _Truth:
        """A later link: its left side is the right side of the link before it."""
        value = self.hook.compare(op, self.chain.pop(), right, site)
        if last:
            return _Truth(self, value, site, kind, False)
        self.chain.append(right)
        return _Truth(self, value, site, "compare", True)

    def field(self, obj: Any, name: str, site: Site, op: str = "", at: Site | None = None) -> Any:
        """A place for `obj.name`: stored to, deleted, or updated with `op`."""
        return _Place(self.hook, "attribute", obj, name, site, op, at)

    def item(self, obj: Any, index: Any, site: Site, op: str = "", at: Site | None = None) -> Any:
        """A place for `obj[index]`."""
        return _Place(self.hook, "subscript", obj, index, site, op, at)

    def packed(self, function: Any, site: Site) -> _Packed:
        """A call with stars: Python itself unpacks them."""
        return _Packed(self.hook, function, site)

    def decorator(self, function: Any, site: Site) -> Any:
        """A decorator, applied through the hook."""
        return lambda decorated: self.hook.call(function, (decorated,), {}, site)

    def inside(self, function: Any, name: str, site: Site) -> Any:
        """`locals` and its like are called by the user's own frame."""
        builtin = name in OF_THE_FRAME and function is getattr(builtins, name)
        return function if builtin else self.packed(function, site)

    def hidden(self, value: Any) -> Any:
        """What `locals()` or `dir()` gave, without the clone's own names."""
        if type(value) is list:
            return [v for v in value if not (isinstance(v, str) and v in _OURS)]
        if type(value) is dict:
            for name in _OURS:
                value.pop(name, None)
        return value


_OURS = (HOOK, SITES, FRAME)


class _Truth:
    """A value whose truth is asked for through the hook, once."""

    __slots__ = ("frame", "holds", "known", "link", "value")

    def __init__(self, frame: Frame, value: Any, site: Site, kind: str, link: bool) -> None:
        self.frame = frame
        self.value = value
        self.known: tuple[Site, str] | None = (site, kind)
        self.link = link
        self.holds = False

    def __bool__(self) -> bool:
        if self.known is not None:
            (site, kind), self.known = self.known, None
            self.holds = self.frame.hook.condition(self.value, site, kind)
            if self.link and not self.holds:
                self.frame.chain.pop()
        return self.holds


class _Place:
    """An attribute or an item: setting, deleting or `|=`-ing its `value` passes the hook."""

    __slots__ = ("at", "hook", "key", "kind", "obj", "op", "site")

    def __init__(
        self, hook: Hook, kind: str, obj: Any, key: Any, site: Site, op: str, at: Site | None
    ) -> None:
        self.hook, self.kind, self.obj, self.key = hook, kind, obj, key
        self.site, self.op, self.at = site, op, at

    @property
    def value(self) -> Any:
        if self.kind == "attribute":
            return _Pending(self, self.hook.attribute(self.obj, self.key, self.site))
        return _Pending(self, self.hook.augmented(self.op, self.obj, self.key, self.site))

    @value.setter
    def value(self, new: Any) -> None:
        if self.kind == "attribute":
            self.hook.store_attribute(self.obj, self.key, new, self.site)
        else:
            self.hook.store_subscript(self.obj, self.key, new, self.site)

    @value.deleter
    def value(self) -> None:
        if self.kind == "attribute":
            self.hook.delete_attribute(self.obj, self.key, self.site)
        else:
            self.hook.delete_subscript(self.obj, self.key, self.site)


class _Pending:
    """The old value of a place in an augmented assignment."""

    __slots__ = ("old", "place")

    def __init__(self, place: _Place, old: Any) -> None:
        self.place, self.old = place, old

    def __ior__(self, value: Any) -> Any:
        place = self.place
        return place.hook.inplace(place.op, self.old, value, place.at or place.site)


class _Packed:
    """Collects a call's arguments; named as the function, for Python's own messages."""

    def __init__(self, hook: Hook, function: Any, site: Site) -> None:
        self.__event = (hook, function, site)
        if type(function).__module__ in ("builtins", "numpy"):  # others may compute attributes
            for name in ("__qualname__", "__module__"):
                if hasattr(function, name):
                    setattr(self, name, getattr(function, name))

    def __str__(self) -> str:
        return str(self.__event[1])

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        hook, function, site = self.__event
        return hook.call(function, args, kwargs, site)
