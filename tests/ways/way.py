"""A way: one person's function, a point, what to differentiate by, and who else knows the answer.

The reference is never the function itself: it is HIPS autograd on a clean second writing, or a
formula by hand. Nothing of chainrule is imported here.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import autograd  # type: ignore[import-untyped]
    import autograd.numpy as anp  # type: ignore[import-untyped]

__all__ = ["Way", "anp", "gradient", "hand", "jacobian"]

Values = Mapping[str, Any]
Reference = Callable[["Way", Values], dict[str, np.ndarray]]

#: The size of each axis at the point, all different within a way; and at the other point.
SIZES = {"n0": 2, "n1": 3, "n2": 5, "N": 4, "T": 6, "K": 3, "L": 7, "H": 8, "two": 2}
OTHERS = {"n0": 3, "n1": 5, "n2": 2, "N": 7, "T": 4, "K": 2, "L": 9, "H": 6, "two": 2}


def _onehot(rng: Any, shape: tuple[int, ...], axis: int) -> Any:
    hot = np.zeros(shape)
    where = [np.arange(n) for n in shape]
    where[axis] = rng.integers(shape[axis], size=shape[1 - axis])
    hot[tuple(where)] = 1.0
    return hot


#: How the entries of an array are drawn: the word before the axes, "real" where there is none.
DRAWS: dict[str, Callable[..., Any]] = {
    "real": lambda rng, shape: rng.normal(size=shape),
    "small": lambda rng, shape: 0.3 * rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2.0, size=shape),
    "rising": lambda rng, shape: np.cumsum(rng.uniform(0.3, 1.0, size=shape)),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    "kept": lambda rng, shape: (rng.random(shape) < 0.7) * 1.0,
    "bits": lambda rng, shape: (rng.random(shape) < 0.5) * 1.0,
    "mask": lambda rng, shape: rng.permutation(np.arange(np.prod(shape)) % 2 == 0).reshape(shape),
    "signs": lambda rng, shape: np.where(rng.random(shape) < 0.5, -1.0, 1.0),
    "onehot0": lambda rng, shape: _onehot(rng, shape, 0),
    "onehot1": lambda rng, shape: _onehot(rng, shape, 1),
    "spread": lambda rng, shape: rng.normal(size=shape) + 3.0 * np.eye(*shape),
}


@dataclass(frozen=True)
class Way:
    """One function as somebody wrote it.

    id : its name. style : what is particular about it. function : as it stands.
    axes : argument or place → how it is drawn and its axes ("onehot0 n2 N", "labels<n2 N", "" for
        a scalar); arguments in any order, then places.
    places : place → the array that lives there; each is named in `wrt` or in `axes`.
    wrt : by what to differentiate. reference : (way, values) → place → array.
    pack : values → the arguments of the call, where these are lists or dicts of arrays.
    options : arguments that are no arrays. fixed : arrays that are drawn once only.
    grows : the function holds for other sizes of its axes (its places permitting).
    """

    id: str
    style: str
    function: Callable[..., Any]
    axes: Mapping[str, str]
    wrt: tuple[str, ...]
    reference: Reference
    places: Mapping[str, Any] = field(default_factory=dict)
    pack: Callable[[Values], dict[str, Any]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    grows: bool = True

    def __post_init__(self) -> None:
        missing = (set(self.places) | set(self.wrt)) - set(self.axes)
        assert not missing, f"{self.id}: no axes for {sorted(missing)}"
        for place, array in self.places.items():
            said = self.shape(place, SIZES)
            assert np.shape(array) == said, f"{self.id}: {place} is {np.shape(array)}, not {said}"

    def shape(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of an argument or place at given sizes; an axis may be a number, or `n1+1`."""
        axes = [w for w in self.axes[name].split() if w not in DRAWS and not w.startswith("labels")]
        return tuple(sum(int(t) if t.isdigit() else sizes[t] for t in a.split("+")) for a in axes)

    def values(self, seed: int, sizes: Mapping[str, int] = SIZES) -> dict[str, Any]:
        """Arrays for all arguments and places, drawn anew; those of seed 0 are the places' own."""
        out: dict[str, Any] = {}
        for number, (name, said) in enumerate(self.axes.items()):
            if seed == 0 and name in self.places:
                out[name] = np.array(self.places[name])
                continue
            again = 0 if name in self.fixed else seed
            rng = np.random.default_rng([again, number, *self.id.encode()])
            shape, word = self.shape(name, sizes), (said.split() or ["real"])[0]
            if word.startswith("labels<"):
                out[name] = rng.integers(sizes[word.removeprefix("labels<")], size=shape)
            else:
                out[name] = np.asarray(DRAWS.get(word, DRAWS["real"])(rng, shape))
        return out

    def at(self, values: Values) -> dict[str, Any]:
        """The arguments of the call, by name, options among them."""
        own = {k: v for k, v in values.items() if k not in self.places}
        return {**(self.pack(own) if self.pack else own), **self.options}

    def run(self, values: Values) -> Any:
        """The function's own result; its places hold `values` meanwhile."""
        args: list[Any] = []
        named = self.at({k: np.array(v) for k, v in values.items()})
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                args += named.pop(parameter.name, ())
            elif parameter.kind is parameter.VAR_KEYWORD:
                named |= named.pop(parameter.name, {})
            elif parameter.kind is not parameter.KEYWORD_ONLY and parameter.name in named:
                args.append(named.pop(parameter.name))
        with self.holding(values):
            return self.function(*args, **named)

    @contextmanager
    def holding(self, values: Values) -> Iterator[None]:
        """Writes values into the very arrays of the places, and back."""
        before = {p: np.array(a) for p, a in self.places.items()}
        try:
            for place, array in self.places.items():
                array[...] = values[place]
            yield
        finally:
            for place, array in self.places.items():
                array[...] = before[place]


def _by_autograd(differentiate: Any, clean: Callable[..., Any]) -> Reference:
    def reference(way: Way, values: Values) -> dict[str, np.ndarray]:
        names = list(way.axes)
        inputs = [values[n] for n in names]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return {w: differentiate(clean, names.index(w))(*inputs) for w in way.wrt}

    return reference


def gradient(clean: Callable[..., Any]) -> Reference:
    """autograd's gradient of a second writing; its arguments are the axes' names in order."""
    return _by_autograd(autograd.grad, clean)


def jacobian(clean: Callable[..., Any]) -> Reference:
    """autograd's Jacobian, of the shape output + input."""
    return _by_autograd(autograd.jacobian, clean)


def hand(formula: Callable[..., Any]) -> Reference:
    """A formula by hand: values in the order of the axes → the derivatives in the order of wrt."""

    def reference(way: Way, values: Values) -> dict[str, np.ndarray]:
        found = formula(*(values[n] for n in way.axes))
        return dict(zip(way.wrt, found if isinstance(found, tuple) else (found,), strict=True))

    return reference
