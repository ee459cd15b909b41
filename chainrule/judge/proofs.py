"""From *one normal form* (or one signature) to *proved*: what must be known besides, and its scope.

Both sides must agree, certified, at a point at least, so that no proof is of nothing. What the
claimed code alone needs is probed, or excepted. Every path that the points took must be proved,
and the paths must leave nothing out. "Every shape" needs both sides followed once more at other
sizes, pairwise different primes, to the same operations.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim
from chainrule.code.trace.audit import SIZES, on_path
from chainrule.code.trace.record import Guard, Trace
from chainrule.code.trace.watch import TRAPS, all_finite
from chainrule.domains import Domain, OneHot, Simplex, Symmetric
from chainrule.errors import ChainruleError, ContradictionError, ShapeError
from chainrule.evidence import drawing, enclosures
from chainrule.evidence.calling import Caller
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import OffPath
from chainrule.evidence.proving import Paper, Proved, Sizes, readings
from chainrule.evidence.signature import Assumed, signature
from chainrule.graph.fingerprint import fingerprints
from chainrule.graph.node import Node, reached
from chainrule.graph.notation.notation import Notation
from chainrule.judge.sides import Ways, again, inputs_of
from chainrule.judge.trials import UNTOLD, Tally, Trials
from chainrule.proof import Condition
from chainrule.values.ball import precision

PATHS, LOOKED = 6, 36  # further paths that are proved, and points that are looked at for them
DRAWS = 6  # points drawn at other sizes, until one keeps to the path
LONG = 60  # characters of a condition that a person reads
KEPT = 8  # numbers that the code keeps, of which the scope speaks
MANY = 4  # conditions that are written


@dataclass(frozen=True)
class Standing:
    """What the identity rung says of one derivative.

    proved : whether it is. reason : else why not; "" if nothing is worth saying.
    shapes, conditions, excepting, constants : of the scope. figures : what it took.
    """

    proved: bool
    reason: str = ""
    shapes: str = ""
    conditions: tuple[str, ...] = ()
    excepting: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    figures: Mapping[str, int] = field(default_factory=dict)
    everywhere: bool = False  # whether it holds at every size that keeps the path
    rung: str = "identity"


class Proofs:
    """The proofs of one function of the user's that is traced."""

    def __init__(self, claim: PairClaim, caller: Caller, trials: Trials) -> None:
        self.trials, self.why = trials, ""
        self.rung: _Rung | None = None
        ways = trials.ways
        if ways.graph is None:
            return
        for trace in (ways.derived.side.trace, ways.graph.trace):
            if TRAPS in trace.notes:
                self.why = f"no proof: {TRAPS}"
                return
            if any("NumPy's protocols" in note for note in trace.notes):
                self.why = (
                    f"no proof: {trace.function} has no source, so what it compares is not seen"
                )
                return
        try:
            paper = Paper(ways.derived.side, ways.graph, claim.domains)
        except ShapeError as why:
            self.why = f"no proof was tried: {why}"
            return
        self.rung = _Rung(claim, caller, trials, ways, paper)

    def sure(self) -> bool:
        """Whether the normal form proves every derivative that no point has refuted so far: a few
        points less will do."""
        if self.rung is None:
            return False
        keys = [k for k, t in self.trials.tallies.items() if t.witness is None]
        self.rung.prove(keys)
        told = [self.rung.told[k] for k in keys]
        proved = all(t.equal and not t.apart for t in told)
        # nothing is left that an edge could tell: no condition of the claimed code alone, no kink
        self.trials.settled = (
            proved and not self.trials.ways.derived.kinks and not any(t.left for t in told)
        )
        return proved

    def standings(self) -> dict[str, Standing]:
        """Key → what the identity rung says.

        Raises ContradictionError where a proof meets a certified witness.
        """
        tallies = self.trials.tallies
        if self.rung is None:
            return {k: Standing(False, self.why) for k in tallies if self.why}
        self.rung.prove([k for k, t in tallies.items() if t.witness is None and t.points])
        return {k: self.rung.standing(k, tally) for k, tally in tallies.items()}


class _Rung:
    """The normal form's answers for one function of the user's, and what they need besides."""

    def __init__(
        self, claim: PairClaim, caller: Caller, trials: Trials, ways: Ways, paper: Paper
    ) -> None:
        self.claim, self.caller, self.trials, self.ways = claim, caller, trials, ways
        self.paper = paper
        self.told: dict[str, Proved] = {}
        self._elsewhere: str | None = None
        self.excepted: list[str] = []  # looks whose other outcome is a thin set
        self._paths: list[tuple[Ways, Paper, Point]] | None = None
        assert ways.graph is not None
        self.theirs = Notation(ways.graph.trace.inputs, ways.graph.trace.names)

    def prove(self, keys: Sequence[str]) -> None:
        """By the normal form for all sizes; else by the signature, at the sizes of the point."""
        keys = [k for k in keys if k not in self.told]
        if keys:
            self.told |= self.paper.prove(keys)
        for apart in (False, True):
            left = [
                k for k in keys if not self.told[k].equal and (not apart or self.paper.switches(k))
            ]
            self.told |= self._signed(left, apart)

    def _signed(self, keys: Sequence[str], apart: bool) -> dict[str, Proved]:
        graph, values = self.paper.joined.graph, self.trials.point.values
        whole = [n for n, x in self.paper.joined.inputs.items() if x.kind != "f"]
        if any(n not in values for n in whole):
            return {}
        told = signature(
            [self.paper.pair(k) for k in keys],
            graph.env,
            seed=f"{self.claim.derivation.trace.function}, {self.caller.part.name}",
            assuming={n: a for n, d in self.claim.domains.items() if (a := _assumed(d))},
            given={n: np.asarray(values[n]) for n in whole},
            apart=apart,
        )
        return {
            k: self.paper.signed(k, apart, t.log2_error)
            for k, t in zip(keys, told, strict=True)
            if t.equal
        }

    def standing(self, key: str, tally: Tally) -> Standing:
        """One derivative."""
        if tally.witness is not None:
            self._contradicts(key, tally)
            return Standing(False)
        if not tally.points or tally.stray is not None or self.trials.forward_strays is not None:
            return Standing(False)
        told = self.told[key]
        if not told.equal:
            return Standing(False, f"no proof was found: {told.reason}")
        if told.left:
            open_ = self._open(key, told, tally)
            if open_ is not None:
                return open_
        if told.apart and not self._off_switches(key):
            return Standing(False, "no point was found off all comparisons that switch")
        uncovered = self._uncovered(key, tally)
        if uncovered:
            return Standing(False, uncovered)
        sizes = self.paper.sizes()
        where, shapes = self._sizes(sizes) if told.luck is None else self._here()
        everywhere = sizes.free and not where
        if everywhere and tally.apart_where and not sizes.conditions:
            equal = ", ".join(tally.apart_where)
            raise ContradictionError(
                f"{self.caller.part.name}: {self.claim.said(key)} is proved for every shape, and "
                f"certified values differ where {equal} does not hold; this is a bug of "
                "chainrule's, please report it"
            )
        own, left = self._said(told)
        assert self.ways.graph is not None
        nodes = [self.ways.graph.nodes[key], self.ways.derived.side.nodes[key]]
        return Standing(
            True,
            where,
            shapes,
            (
                *(tally.apart_where if where else sizes.conditions),
                *self._plain(told.luck is not None),
            ),
            tuple(dict.fromkeys((*own, *left, *self.excepted))),
            tuple(dict.fromkeys([*readings(nodes), *self._kept()])),
            {"products": told.products, "barriers opened": told.depth}
            if told.luck is None
            else {"log2 of the chance of luck": round(told.luck)},
            everywhere,
            "identity" if told.luck is None else "signature",
        )

    # -- a proof and a witness -----------------------------------------------------------------

    def _contradicts(self, key: str, tally: Tally) -> None:
        """A witness at an inner point of the only path, and a proof: one of them is wrong."""
        witness = tally.witness
        assert witness is not None
        alone = not _path(self.ways) and not self.trials.elsewhere
        if witness.where != "interior" or not alone or tally.stray is not None:
            return
        told = self.paper.prove([key], budget=BRIEF)[key]
        if told.equal and not told.left and not told.apart:
            raise ContradictionError(
                f"{self.caller.part.name}: {self.claim.said(key)} is proved, and at "
                f"{witness.at()} the certified values differ, {witness.claimed} and "
                f"{witness.derived}; this is a bug of chainrule's, please report it"
            )

    def _open(self, key: str, told: Proved, tally: Tally) -> Standing | None:
        """Look where the claimed code alone may be undefined or switch; None if nothing is
        against it."""
        for probed in self.trials.probe(told.left, key):
            if tally.witness is not None:
                return Standing(False)
            if probed.status == "open":
                (open_, *_) = [c for c in told.left if c.node is probed.node]
                where = _text(open_, self.theirs)
                return Standing(False, f"proved except where {where}; there {probed.says}")
        return None

    # -- paths ---------------------------------------------------------------------------------

    def _uncovered(self, key: str, tally: Tally) -> str:
        """Which path is left out; "" if none is."""
        main = _path(self.ways)
        if not main:
            return ""
        if self._paths is None:
            self._paths = list(self._followed())
        taken = [(self.ways, self.paper)]
        for ways, paper, point in self._paths:
            assert ways.graph is not None
            told = paper.prove([key])[key]
            if not told.equal and self._apart(key, tally, ways, point):
                return "it is wrong on another path"
            if told.equal:
                taken.append((ways, paper))
            elif not any(plain and _thin(guard) for _, plain, guard in _path(ways)):
                shown = "; ".join(_texts(ways))
                return f"proved on the path of your point; where {shown}, no proof was found"
        left_out = _left_out([(_path(w), p) for w, p in taken])
        self.excepted = [g.text.replace(" is false", "") for g in left_out or ()]
        if left_out is None:
            shown = "; ".join(_texts(self.ways))
            return f"proved on the path of your point only, where {shown}"
        return ""

    def _apart(self, key: str, tally: Tally, ways: Ways, point: Point) -> bool:
        """Whether a point on another path is a witness; it is then in the tally."""
        try:
            met = enclosures.compare(ways.derived, ways.there, point.values)[key]
        except (OffPath, *UNTOLD):
            return False
        if met.apart is not None:
            code = self.caller.floats(point.values).get(key)
            self.trials.count(ways, point, key, tally, met, code)
        return tally.witness is not None

    def _followed(self) -> Iterator[tuple[Ways, Paper, Point]]:
        """The other paths that drawn points take."""
        known = [self.ways]
        for point in islice(self.trials._points(self.ways), LOOKED):
            if len(known) > PATHS:
                return
            if any(_on(ways, point) for ways in known):
                continue
            try:
                there = again(self.claim, self.caller, self.ways, point)
                if there.graph is None:
                    continue
                paper = Paper(there.derived.side, there.graph, self.claim.domains)
            except (OffPath, *UNTOLD):
                continue
            if _outcomes(there) not in [_outcomes(w) for w in known]:
                known.append(there)
                yield there, paper, point

    def _off_switches(self, key: str) -> bool:
        """Whether there is a point with certified agreement where no comparison switches."""
        graph = self.ways.graph
        assert graph is not None
        switches = enclosures.switches([graph.nodes[key]])
        nodes = [i for _, node in switches for i in node.inputs]
        for point in islice(self.trials._points(self.ways, small=True), 2 * DRAWS):
            try:
                met = enclosures.compare(self.ways.derived, self.ways.there, point.values)[key]
                with precision(enclosures.BITS[0]):
                    _, found = graph.enclose(point.values, nodes)
            except (OffPath, *UNTOLD):
                continue
            tied = False
            for what, node in switches:
                xs, found = found[: len(node.inputs)], found[len(node.inputs) :]
                tied |= enclosures.at_a_kink(what, node, xs)
            if met.bits and not tied:
                return True
        return False

    # -- sizes ---------------------------------------------------------------------------------

    def _sizes(self, sizes: Sizes) -> tuple[str, str]:
        """(what is to be said, the shapes of the scope)."""
        if not sizes.free:
            return ("" if sizes.text == "scalars" else "at these shapes"), sizes.text
        if self._elsewhere is None:
            self._elsewhere = self._at_other_sizes()
        if not self._elsewhere:
            return "", sizes.text
        return f"at these shapes only: {self._elsewhere}", self._shapes()

    def _here(self) -> tuple[str, str]:
        """The same, of a signature."""
        return "at these shapes", self._shapes()

    def _shapes(self) -> str:
        here = [f"{n} {_shape(v)}" for n, v in self.trials.point.values.items() if np.shape(v)]
        return ", ".join(here) or "scalars"

    def _at_other_sizes(self) -> str:
        """Why both sides are not the same operations at other sizes; "" if they are."""
        if not self.trials.free[0]:
            return self.trials.held or "the sizes stay as they are"
        d, main = self.claim.derivation, self.ways
        inputs = inputs_of(self.claim, d)
        axes = [a for a in d.trace.graph.env if any(a in s.names for s in _all(inputs))]
        primes = [p for p in SIZES if p not in d.trace.sizes.values()]
        why = "no other sizes were found that keep to the path"
        for shift in range(3):
            order = primes[shift : shift + len(axes)]
            if len(order) < len(axes):
                order = [*order, *range(37, 37 + len(axes))][: len(axes)]
            sizes = dict(zip(axes, order, strict=True))
            sizes = drawing.squared(self.claim.domains, inputs, sizes)
            shapes = {n: tuple(s.at(sizes) for s in x.shape) for n, x in inputs.items()}
            if min((k for s in shapes.values() for k in s), default=1) < 1 or not main.fit(shapes):
                continue
            stream = self.trials.drawn(inputs, shapes, self.trials.free[1], "other sizes")
            for values in islice(stream, DRAWS):
                try:
                    there = again(self.claim, self.caller, main, Point(values))
                except (OffPath, *UNTOLD) as error:
                    why = f"at other sizes {error}"
                    continue
                if _alike(main, there):
                    return ""
                why = f"at other sizes ({_said(sizes)}) the code does other operations"
        return why

    # -- words ---------------------------------------------------------------------------------

    def _plain(self, signed: bool) -> list[str]:
        """Arguments that are no arrays and no floats: the proof is for these.

        signed : whether it is for the integers of the point, too.
        """
        given: dict[str, Any] = {}
        inputs = self.paper.joined.inputs
        whole = [n for n, x in inputs.items() if x.kind != "f" and signed]
        held = [f"{n} as given" for n in dict.fromkeys([*whole, *_labels(self.ways)])]
        for prepared in (self.claim.derivation.prepared, self.caller.prepared):
            given |= {n: v for n, v in prepared.arguments.items() if n not in given}
        plain = [
            f"{n} = {v!r}"
            for n, v in given.items()
            if (v is None or isinstance(v, bool | int | str | np.integer))
            and n not in self.trials.point.values
        ]
        return [*held, *plain]

    def _kept(self) -> list[str]:
        """Numbers that the code keeps: defaults of arguments, and globals of its modules."""
        found: dict[str, Any] = {}
        for prepared in (self.claim.derivation.prepared, self.caller.prepared):
            for f in prepared.functions:
                read = {n: f.__globals__[n] for n in f.__code__.co_names if n in f.__globals__}
                taken = {*prepared.inputs, *prepared.arguments}
                defaults = dict(inspect.signature(f).parameters)
                read |= {n: p.default for n, p in defaults.items() if n not in taken}
                found |= {n: v for n, v in read.items() if n not in self.trials.point.values}
        numbers = {n: v for n, v in found.items() if type(v) in (int, float, np.float64)}
        return [f"{n} = {v!r}" for n, v in sorted(numbers.items())][:KEPT]

    def _said(self, told: Proved) -> tuple[list[str], list[str]]:
        """What the proof leaves out: of forward's own, and of the claimed code alone."""
        notation = self.claim.derivation.notation
        said = self.claim.derivation.conditions
        kinks = [c.removeprefix("not where ") for c in said if c.startswith("not where ")]
        own = [_text(c, notation) for c in told.own if c.kind in _FAILS]
        if not kinks:  # of an array, nobody has said them
            moving = {node for _, node in self.ways.derived.kinks}
            switches = [c for c in told.own if c.node in moving]
            kinks = [f"{_text(c, notation)}: a kink" for c in switches]
        left = [_text(c, self.theirs) for c in told.left]
        return _few([*kinks, *own]), _few([t for t in left if t not in own])


def _assumed(domain: Domain) -> Assumed | None:
    """What the signature knows of a declared domain."""
    if isinstance(domain, Symmetric):
        return Assumed("symmetric")
    return Assumed("sums to one", domain.axis) if isinstance(domain, (OneHot, Simplex)) else None


BRIEF = 60_000  # operations for a proof that should fail


def _all(inputs: Mapping[str, Node]) -> list[Any]:
    return [s for x in inputs.values() for s in x.shape]


def _said(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{n} = {v}" for n, v in sizes.items())


def _shape(value: Any) -> str:
    return f"({'×'.join(map(str, np.shape(value)))})"


def _few(texts: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(texts))
    if len(unique) <= MANY:
        return unique
    return [*unique[: MANY - 1], f"{len(unique) - MANY + 1} more such places"]


#: What is left out where a condition does not hold.
_FAILS = {
    "nonzero": "{} = 0",
    "nonnegative": "{} < 0",
    "positive": "{} ≤ 0",
    "inside": "{} is undefined",
    "singular": "{} is singular",
    "finite": "{} is −∞",
}
#: Where an operation switches.
_SWITCHES = {"abs": "{} = 0", "sign": "{} = 0", "floor": "{} is a whole number", "cbrt": "{} = 0"}


def _text(condition: Condition, notation: Notation) -> str:
    """Where a condition does not hold, or where an operation switches, in words."""
    node = condition.node
    if condition.kind in _FAILS:
        return _FAILS[condition.kind].format(_short(notation.text(node)))
    first, *rest = [_short(notation.text(i)) for i in node.inputs]
    if condition.kind == "largest":
        return f"two entries of {first} are the largest"
    return _SWITCHES.get(node.op, "{} = " + "".join(rest[:1])).format(first)


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"


# -- paths -----------------------------------------------------------------------------------------


def _looked(trace: Trace) -> list[Guard]:
    """The looks at real values; what was seen of integers is a condition of the scope."""
    return [
        g
        for g in trace.guards
        if g.node is not None and g.how is not all_finite and not _data([g.node])
    ]


def _data(nodes: Sequence[Node]) -> list[str]:
    """The integers and bools that nodes depend on, if they depend on nothing else."""
    inputs = [n for n in reached(nodes) if n.op == "input"]
    return [] if any(n.kind == "f" for n in inputs) else [n.params[0] for n in inputs]


def _labels(ways: Ways) -> list[str]:
    """The integers whose values decided the path, by the derivation's names."""
    found = []
    for trace in _traces(ways):
        graph = ways.graph
        names = graph.names if graph is not None and trace is graph.trace else {}
        looked = [g.node for g in trace.guards if g.node is not None]
        found += [names.get(n, n) for node in looked for n in _data([node])]
    return list(dict.fromkeys(found))


def _traces(ways: Ways) -> list[Trace]:
    return [ways.derived.side.trace, *([ways.graph.trace] if ways.graph else [])]


Look = tuple[Any, bool | None, Guard]  # what was looked at, what came out, the guard itself


def _path(ways: Ways) -> list[Look]:
    """The looks at values in their order, each with what came out."""
    out: dict[tuple[Any, bool | None], Guard] = {}
    for number, trace in enumerate(_traces(ways)):
        guards = _looked(trace)
        prints = fingerprints([g.node for g in guards if g.node is not None], trace.inputs)
        for guard in guards:
            assert guard.node is not None
            how = None if guard.how is None else guard.text
            value = np.asarray(guard.value)
            plain = bool(value) if value.shape == () and guard.node.kind == "b" else None
            what = (number, prints[guard.node], how, None if plain is not None else guard.text)
            out.setdefault((what, plain), guard)
    return [(what, plain, guard) for (what, plain), guard in out.items()]


def _outcomes(ways: Ways) -> list[tuple[Any, bool | None]]:
    return [(what, plain) for what, plain, _ in _path(ways)]


#: Operations that are analytic wherever they have a value: where two such numbers differ at one
#: point, they are equal on a thin set only.
_ANALYTIC = frozenset(
    (
        *("input", "const", "size", "iota", "delta", "add", "mul", "div", "neg", "power", "exp"),
        *("sin", "cos", "tanh", "sinh", "cosh", "expit", "erf", "erfc", "arctan", "expm1"),
        *("contract", "reshape", "broadcast", "index", "concat"),
    )
)


def _thin(guard: Guard) -> bool:
    """Whether a look asks if two analytic numbers are equal; a root of one may be a constant."""
    node = guard.node
    if node is None or node.op != "equal" or node.inputs[0].kind != "f":
        return False
    sides = list(node.inputs)
    for k in (0, 1):
        if sides[1 - k].op == "const" and sides[k].op == "power":
            sides[k] = sides[k].inputs[0]  # √u = c where u = c²
    return all(
        n.op in _ANALYTIC and (n.op != "power" or n.params[0].denominator == 1) and n.kind != "b"
        for n in reached(sides)
    )


def _left_out(paths: Sequence[tuple[Sequence[Look], Paper]]) -> list[Guard] | None:
    """What paths leave out: looks that come out otherwise on a thin set only (x = 0); None if more
    than that. Outcomes that cannot be are nothing."""
    if any(not p for p, _ in paths):
        return []
    what, _, guard = paths[0][0][0]
    if any(p[0][0] != what for p, _ in paths):
        return None
    outcomes: dict[bool | None, list[tuple[Sequence[Look], Paper]]] = {}
    for p, paper in paths:
        outcomes.setdefault(p[0][1], []).append((p[1:], paper))
    out: list[Guard] = []
    if {True, False} != outcomes.keys():
        paper = paths[0][1]
        if outcomes.keys() == {False} and _thin(guard):
            out.append(guard)
        elif None in outcomes or not paper.impossible(guard):
            return None
    for group in outcomes.values():
        found = _left_out(group)
        if found is None:
            return None
        out += found
    return out


def _texts(ways: Ways) -> list[str]:
    return _few([g.text for t in _traces(ways) for g in _looked(t)])


def _on(ways: Ways, point: Point) -> bool:
    """Whether a point is on the path of both sides, told in float64."""
    for side in (ways.derived.side, ways.graph):
        if side is None:
            continue
        try:
            if not on_path(side.trace, side.values(point.values)):
                return False
        except (ChainruleError, ValueError, IndexError, KeyError):
            return False
    return True


def _alike(one: Ways, two: Ways) -> bool:
    """Whether two ways are the same operations on the same path."""
    assert one.graph is not None and two.graph is not None
    if _outcomes(one) != _outcomes(two):
        return False
    mine, theirs = one.derived.side.trace, two.derived.side.trace
    for s, t, a, b in (
        (mine, theirs, mine.outputs, theirs.outputs),
        (one.graph.trace, two.graph.trace, one.graph.nodes, two.graph.nodes),
    ):
        if a.keys() != b.keys():
            return False
        x, y = fingerprints(a.values(), s.inputs), fingerprints(b.values(), t.inputs)
        if any(x[a[k]] != y[b[k]] for k in a):
            return False
    return True


__all__ = ["Proofs", "Standing"]
