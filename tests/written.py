"""Networks as text: a forward and a backward pass, written in one of very many equivalent ways.

A `Way` is a choice from tables: where samples lie, which activation and loss, how each product, sum
and slope is written, what goes through a cache, what holds the weights. `text` is the module that a
person would have written; `stable` is the same mathematics in the forms that lose no digits.
Nothing here knows what checks it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

#: layout → what is written how. {d}: back-propagated, {a}: activations before, {W}: weights.
LAYER: Mapping[str, Mapping[str, Sequence[str]]] = {
    "columns": {
        "z": ("{W} @ {a} + {b}", "np.dot({W}, {a}) + {b}", "np.add(np.matmul({W}, {a}), {b})"),
        "dW": (
            "{d} @ {a}.T",
            "np.dot({d}, {a}.T)",
            "np.matmul({d}, np.transpose({a}))",
            "np.einsum('ij,kj->ik', {d}, {a})",
            "({a} @ {d}.T).T",
            "np.tensordot({d}, {a}, axes=(1, 1))",
            "np.inner({d}, {a})",
            "sum(np.outer({d}[:, s], {a}[:, s]) for s in range({d}.shape[1]))",
            "({d}[:, None, :] * {a}[None, :, :]).sum(axis=2)",
        ),
        "db": (
            "{d}.sum(axis=1, keepdims=True)",
            "np.sum({d}, axis=1, keepdims=True)",
            "np.sum({d}, 1)[:, np.newaxis]",
            "{d} @ np.ones(({d}.shape[1], 1))",
            "np.einsum('ij->i', {d})[:, None]",
            "{d}.sum(axis=1).reshape(-1, 1)",
            "{d}.mean(axis=1, keepdims=True) * {d}.shape[1]",
            "np.add.reduce({d}, axis=1)[:, None]",
        ),
        "da": (
            "{W}.T @ {d}",
            "np.dot({W}.T, {d})",
            "np.einsum('ji,jk->ik', {W}, {d})",
            "({d}.T @ {W}).T",
            "np.transpose(np.matmul(np.transpose({d}), {W}))",
        ),
        "N": ("x.shape[1]", "y.shape[1]", "x.shape[-1]", "len(x.T)", "float(x.shape[1])"),
        "axis": ("0",),
    },
    "rows": {
        "z": ("{a} @ {W} + {b}", "np.dot({a}, {W}) + {b}", "np.add({a}.dot({W}), {b})"),
        "dW": (
            "{a}.T @ {d}",
            "np.dot({a}.T, {d})",
            "np.einsum('si,sj->ij', {a}, {d})",
            "({d}.T @ {a}).T",
            "np.tensordot({a}, {d}, axes=([0], [0]))",
            "np.sum({a}[:, :, None] * {d}[:, None, :], axis=0)",
            "sum(np.outer({a}[s], {d}[s]) for s in range(len({d})))",
        ),
        "db": (
            "{d}.sum(axis=0)",
            "np.sum({d}, axis=0)",
            "np.ones(len({d})) @ {d}",
            "np.einsum('ij->j', {d})",
            "np.mean({d}, axis=0) * {d}.shape[0]",
            "sum({d}[s] for s in range({d}.shape[0]))",
        ),
        "da": ("{d} @ {W}.T", "np.dot({d}, {W}.T)", "np.einsum('sj,ij->si', {d}, {W})"),
        "N": ("x.shape[0]", "len(x)", "y.shape[0]", "float(len(y))"),
        "axis": ("1",),
    },
    "transposed": {
        "z": (
            "{a} @ {W}.T + {b}",
            "np.einsum('si,ji->sj', {a}, {W}) + {b}",
            "({W} @ {a}.T).T + {b}",
        ),
        "dW": ("{d}.T @ {a}", "np.einsum('sj,si->ji', {d}, {a})", "np.dot({a}.T, {d}).T"),
        "db": ("{d}.sum(axis=0)", "np.sum({d}, axis=0)", "{d}.T @ np.ones(len({d}))"),
        "da": ("{d} @ {W}", "np.dot({d}, {W})", "np.einsum('sj,ji->si', {d}, {W})"),
        "N": ("x.shape[0]", "len(x)", "y.shape[0]"),
        "axis": ("1",),
    },
}

#: activation → (forward forms, slope forms); the first of each loses the fewest digits.
ACTIVATION: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "sigmoid": (
        (
            "0.5 * (1 + np.tanh(0.5 * {z}))",
            "1 / (1 + np.exp(-{z}))",
            "np.exp({z}) / (1 + np.exp({z}))",
            "np.exp(-np.logaddexp(0, -{z}))",
            "np.where({z} >= 0, 1, np.exp(-np.abs({z}))) / (1 + np.exp(-np.abs({z})))",
        ),
        (
            "np.exp(-np.abs({z})) / (1 + np.exp(-np.abs({z}))) ** 2",
            "{a} * (1 - {a})",
            "({a} - {a} ** 2)",
            "np.exp(-{z}) / (1 + np.exp(-{z})) ** 2",
            "np.exp({z}) / (1 + np.exp({z})) ** 2",
            "1 / (2 + np.exp({z}) + np.exp(-{z}))",
            "0.25 / np.cosh({z} / 2) ** 2",
            "0.25 * (1 - np.tanh({z} / 2) ** 2)",
            "(1 / (1 + np.exp(-{z}))) * (1 / (1 + np.exp({z})))",
            "np.exp(-{z}) * {a} ** 2",
        ),
    ),
    "tanh": (
        (
            "np.tanh({z})",
            "(np.exp({z}) - np.exp(-{z})) / (np.exp({z}) + np.exp(-{z}))",
            "2 / (1 + np.exp(-2 * {z})) - 1",
            "np.sinh({z}) / np.cosh({z})",
        ),
        (
            "1 / np.cosh({z}) ** 2",
            "(1 - {a} ** 2)",
            "(1 - np.tanh({z}) ** 2)",
            "(1 - {a}) * (1 + {a})",
            "4 / (np.exp({z}) + np.exp(-{z})) ** 2",
            "(1 - np.square({a}))",
        ),
    ),
    "relu": (
        (
            "np.maximum({z}, 0)",
            "np.where({z} > 0, {z}, 0)",
            "{z} * ({z} > 0)",
            "np.maximum(0.0, {z})",
            "0.5 * ({z} + np.abs({z}))",
        ),
        (
            "({z} > 0)",
            "np.where({z} > 0, 1.0, 0.0)",
            "({z} > 0).astype(float)",
            "np.heaviside({z}, 0)",
            "0.5 * (1 + np.sign({z}))",
            "1.0 * ({z} >= 0)",
        ),
    ),
    "leaky": (
        ("np.where({z} > 0, {z}, 0.01 * {z})", "np.maximum({z}, 0.01 * {z})"),
        ("np.where({z} > 0, 1, 0.01)", "(({z} > 0) + 0.01 * ({z} <= 0))"),
    ),
    "softplus": (
        (
            "np.logaddexp(0, {z})",
            "np.log(1 + np.exp({z}))",
            "np.log1p(np.exp({z}))",
            "(np.maximum({z}, 0) + np.log1p(np.exp(-np.abs({z}))))",
        ),
        (
            "0.5 * (1 + np.tanh(0.5 * {z}))",
            "1 / (1 + np.exp(-{z}))",
            "np.exp({z}) / (1 + np.exp({z}))",
            "np.exp({z} - {a})",
        ),
    ),
    "gelu": (
        (
            "0.5 * {z} * (1 + np.tanh(C * ({z} + 0.044715 * {z} ** 3)))",
            "0.5 * {z} * (1 + np.tanh(np.sqrt(2 / np.pi) * {z} * (1 + 0.044715 * {z} ** 2)))",
        ),
        (
            "(0.5 * (1 + np.tanh(C * ({z} + 0.044715 * {z} ** 3))) + 0.5 * {z} * C * "
            "(1 + 3 * 0.044715 * {z} ** 2) / np.cosh(C * ({z} + 0.044715 * {z} ** 3)) ** 2)",
            "(0.5 + 0.5 * np.tanh(C * ({z} + 0.044715 * {z} ** 3)) + 0.5 * {z} * "
            "(1 - np.tanh(C * ({z} + 0.044715 * {z} ** 3)) ** 2) * C * (1 + 0.134145 * {z} ** 2))",
        ),
    ),
    "swish": (
        ("{z} * (0.5 * (1 + np.tanh(0.5 * {z})))", "{z} / (1 + np.exp(-{z}))"),
        (
            "(0.5 * (1 + np.tanh(0.5 * {z})) + {z} * 0.25 / np.cosh({z} / 2) ** 2)",
            "({a} + (1 - {a}) / (1 + np.exp(-{z})))",
            "(1 + np.exp(-{z}) * (1 + {z})) / (1 + np.exp(-{z})) ** 2",
        ),
    ),
    "sin": (("np.sin({z})",), ("np.cos({z})", "np.sin(np.pi / 2 - {z})")),
    "arctan": (("np.arctan({z})",), ("1 / (1 + {z} ** 2)", "1 / (1 + {z} * {z})")),
    "linear": (("{z}", "1 * {z}"), ("1", "np.ones_like({z})")),
}

SOFTMAX = (
    "np.exp({z} - {z}.max(axis={k}, keepdims=True)) / "
    "np.exp({z} - {z}.max(axis={k}, keepdims=True)).sum(axis={k}, keepdims=True)"
)
PLAIN = "np.exp({z}) / np.sum(np.exp({z}), axis={k}, keepdims=True)"

#: loss → (forward, gradient); {a}: the last activations, {z}: before them, {k}: the classes' axis.
LOSS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "squares": (
        (
            "np.sum(({a} - y) ** 2) / {N}",
            "np.linalg.norm({a} - y) ** 2 / {N}",
            "np.mean(np.sum(np.square(y - {a}), axis={k}))",
            "(({a} - y) * ({a} - y)).sum() / {N}",
        ),
        (
            "2 * ({a} - y) / {N}",
            "2 / {N} * ({a} - y)",
            "-2 * (y - {a}) / {N}",
            "(2 / {N}) * {a} - (2 / {N}) * y",
            "(({a} - y) + ({a} - y)) / {N}",
        ),
    ),
    "half": (
        ("0.5 * np.sum(({a} - y) ** 2)", "np.sum(({a} - y) ** 2) / 2"),
        ("({a} - y)", "-(y - {a})", "np.subtract({a}, y)"),
    ),
    "logistic": (
        (
            "np.sum(np.logaddexp(0, {z}) - y * {z}) / {N}",
            "np.sum(np.maximum({z}, 0) - y * {z} + np.log1p(np.exp(-np.abs({z})))) / {N}",
            "-np.sum(y * np.log(1 / (1 + np.exp(-{z}))) - (1 - y) * np.log(1 + np.exp({z}))) / {N}",
        ),
        (
            "(0.5 * (1 + np.tanh(0.5 * {z})) - y) / {N}",
            "(1 / (1 + np.exp(-{z})) - y) / {N}",
            "(np.exp({z}) / (1 + np.exp({z})) - y) / {N}",
        ),
    ),
    "entropy": (
        (
            "-np.sum(y * ({z} - {z}.max(axis={k}, keepdims=True) - np.log(np.sum(np.exp({z} - "
            "{z}.max(axis={k}, keepdims=True)), axis={k}, keepdims=True)))) / {N}",
            f"-np.sum(y * np.log({PLAIN})) / {{N}}",
            f"-np.sum(y * np.log({SOFTMAX})) / {{N}}",
            "np.sum(np.log(np.sum(np.exp({z}), axis={k})) - np.sum(y * {z}, axis={k})) / {N}",
        ),
        (
            f"({SOFTMAX} - y) / {{N}}",
            f"({PLAIN} - y) / {{N}}",
            f"1 / {{N}} * ({SOFTMAX}) - y / {{N}}",
        ),
    ),
}
LOGITS = ("logistic", "entropy")  # losses of what comes before an activation
CACHES = ("none", "dict", "list", "tuple")
HOLDERS = ("arguments", "lists", "dict")
STEPS = ("plain", "in place", "out=", "buffers")


@dataclass(frozen=True)
class Way:
    """One way to write a network's two passes; every field but depth is a choice of a form."""

    layout: str
    depth: int
    activation: str
    loss: str
    forward: int
    slope: int
    cost: int
    start: int
    z: int
    dW: int
    db: int
    da: int
    N: int
    cache: str
    holder: str
    step: str
    looped: bool
    returns: str

    @property
    def places(self) -> tuple[str, ...]:
        """What the derivatives are of, as `check` names it."""
        ks = range(1, self.depth + 1)
        if self.holder == "lists":
            return tuple(f"{n}s[{k - 1}]" for k in ks for n in "Wb")
        if self.holder == "dict":
            return tuple(f'P["{n}{k}"]' for k in ks for n in "Wb")
        return tuple(f"{n}{k}" for k in ks for n in "Wb")

    @property
    def unrolled(self) -> bool:
        """Whether a loop runs over the samples."""
        one = LAYER[self.layout]
        return any("for s in" in one[kind][getattr(self, kind)] for kind in ("dW", "db"))

    @property
    def stable(self) -> Way:
        """The same mathematics in forms that lose no digits."""
        first = dict.fromkeys(("forward", "slope", "cost", "start", "z", "dW", "db", "da", "N"), 0)
        return replace(self, **first, cache="none", step="plain", looped=False)


def drawn(rnd: random.Random) -> Way:
    """A way at random."""
    layout = rnd.choice([*LAYER, "columns", "rows"])
    loss = rnd.choice([*LOSS, *["squares"] * 3, "half", "logistic"])
    activation = rnd.choice([*ACTIVATION, "sigmoid", "sigmoid", "tanh", "relu"])
    one = LAYER[
        layout
    ]  # a mean of no samples is nan, and a sum of none has a derivative: not "half"
    holder = rnd.choice(HOLDERS)
    return Way(
        layout,
        rnd.choice([1, 2, 2, 2, 3]),
        activation,
        loss,
        *(rnd.randrange(len(forms)) for forms in (*ACTIVATION[activation], *LOSS[loss])),
        *(rnd.randrange(len(one[k])) for k in ("z", "dW")),
        rnd.choice([k for k, form in enumerate(one["db"]) if loss != "half" or "mean" not in form]),
        *(rnd.randrange(len(one[k])) for k in ("da", "N")),
        rnd.choice(CACHES),
        holder,
        rnd.choice(STEPS),
        holder == "lists" and rnd.random() < 0.7,
        rnd.choice(["tuple", "dict", "list"]) if holder == "arguments" else "tuple",
    )


class _Writer:
    def __init__(self, way: Way) -> None:
        self.way, self.one = way, LAYER[way.layout]
        self.W, self.b = {
            "arguments": ("W{k}", "b{k}"),
            "lists": ("Ws[{i}]", "bs[{i}]"),
            "dict": ("P['W{k}']", "P['b{k}']"),
        }[way.holder]
        names = ", ".join(f"W{k}, b{k}" for k in self.ks)
        held = {"arguments": names, "lists": "Ws, bs", "dict": "P"}[way.holder]
        self.takes = f"x, y, {held}"

    @property
    def ks(self) -> range:
        return range(1, self.way.depth + 1)

    def form(self, kind: str, **names: str) -> str:
        return self.one[kind][getattr(self.way, kind)].format(**names)

    def at(self, text: str, k: int) -> str:
        return text.format(k=k, i=k - 1)

    def passed(self) -> list[str]:
        """The forward pass up to the last activations."""
        way, forms = self.way, ACTIVATION[self.way.activation][0]
        if way.looped:
            z = self.form("z", W="W", a="a[-1]", b="b")
            act = forms[way.forward].format(z="z[-1]")
            if way.loss in LOGITS:
                act = f"{act} if len(z) < {way.depth} else z[-1]"
            return [
                "a, z = [x], []",
                "for W, b in zip(Ws, bs):",
                f"    z.append({z})",
                f"    a.append({act})",
            ]
        lines = ["a0 = x"]
        for k in self.ks:
            z = self.form("z", W=self.at(self.W, k), a=f"a{k - 1}", b=self.at(self.b, k))
            last = k == way.depth and way.loss in LOGITS
            act = "{z}" if last else forms[way.forward]
            lines += [f"z{k} = {z}", f"a{k} = {act.format(z=f'z{k}')}"]
        return lines

    def ends(self) -> dict[str, str]:
        L = self.way.depth
        z, a = ("z[-1]", "a[-1]") if self.way.looped else (f"z{L}", f"a{L}")
        return {"z": z, "a": a, "N": self.one["N"][self.way.N], "k": self.one["axis"][0]}

    def cost(self) -> str:
        return LOSS[self.way.loss][0][self.way.cost].format(**self.ends())

    def names(self) -> list[str]:
        if self.way.looped:
            return ["a", "z"]
        return ["a0", *(f"{n}{k}" for k in self.ks for n in "za")]

    def cached(self) -> list[str]:
        """The lines with which backward gets what forward computes; `run` is the helper."""
        names = self.names()
        call = f"run({self.takes})"
        if self.way.cache == "none":
            return self.passed()
        if self.way.cache == "dict":
            return [f"cache = {call}", *(f"{n} = cache['{n}']" for n in names)]
        if self.way.cache == "list":
            return [f"cache = {call}", *(f"{n} = cache[{i}]" for i, n in enumerate(names))]
        return [f"{', '.join(names)} = {call}"]

    def run(self) -> list[str]:
        if self.way.cache == "none":
            return []
        names = self.names()
        out = {
            "dict": "{" + ", ".join(f"'{n}': {n}" for n in names) + "}",
            "list": "[" + ", ".join(names) + "]",
            "tuple": ", ".join(names),
        }[self.way.cache]
        return [f"def run({self.takes}):", *_in(self.passed()), f"    return {out}", "", ""]

    def times_slope(self, slope: str) -> list[str]:
        return {
            "in place": ["d = 1.0 * d", f"d *= {slope}"],
            "out=": ["d = 1.0 * d", f"np.multiply(d, {slope}, out=d)"],
        }.get(self.way.step, [f"d = d * {slope}"])

    def stored(self, name: str, value: str, like: str) -> list[str]:
        if self.way.step == "buffers":
            return [f"{name} = np.zeros_like({like})", f"{name} += {value}"]
        return [f"{name} = {value}"]

    def backward(self) -> list[str]:
        way = self.way
        slope = ACTIVATION[way.activation][1][way.slope]
        lines = [f"d = {LOSS[way.loss][1][way.start].format(**self.ends())}"]
        if way.looped:
            last = ["if l < len(Ws) - 1:"] if way.loss in LOGITS else []
            step = self.times_slope(slope.format(z="z[l]", a="a[l + 1]"))
            lines += [
                "dWs, dbs = [None] * len(Ws), [None] * len(bs)",
                "for l in reversed(range(len(Ws))):",
                *_in([*last, *(_in(step) if last else step)]),
                f"    dWs[l] = {self.form('dW', d='d', a='a[l]')}",
                f"    dbs[l] = {self.form('db', d='d')}",
                f"    d = {self.form('da', d='d', W='Ws[l]')}",
            ]
            return lines
        for k in reversed(self.ks):
            if k < way.depth or way.loss not in LOGITS:
                lines += self.times_slope(slope.format(z=f"z{k}", a=f"a{k}"))
            W, b = self.at(self.W, k), self.at(self.b, k)
            lines += self.stored(f"dW{k}", self.form("dW", d="d", a=f"a{k - 1}"), W)
            lines += self.stored(f"db{k}", self.form("db", d="d"), b)
            if k > 1:
                lines.append(f"d = {self.form('da', d='d', W=W)}")
        return lines

    def results(self) -> list[str]:
        if self.way.looped:
            return [f"{n}s[{k - 1}]" for k in self.ks for n in ("dW", "db")]
        return [f"{n}{k}" for k in self.ks for n in ("dW", "db")]

    def returned(self) -> str:
        results = self.results()
        if self.way.returns == "dict":
            pairs = zip(self.way.places, results, strict=True)
            return "{" + ", ".join(f"'{p}': {r}" for p, r in pairs) + "}"
        listed = ", ".join(results)
        return f"[{listed}]" if self.way.returns == "list" else listed

    def text(self, planted: Sequence[str] = ()) -> str:
        lines = ["import numpy as np", "", "C = np.sqrt(2 / np.pi)", "", ""]
        lines += self.run()
        lines += [f"def forward({self.takes}):", *_in(self.passed()), f"    return {self.cost()}"]
        lines += ["", "", f"def backward({self.takes}):", *_in(self.cached())]
        lines += [*_in(self.backward()), *_in(planted), f"    return {self.returned()}"]
        return "\n".join(lines) + "\n"


def _in(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]


def text(way: Way, planted: int | None = None, entry: str = "", opaque: bool = False) -> str:
    """The module with `forward` and `backward`.

    planted : the number of the result of which one entry is made wrong by 1e-10 of the largest.
    entry : the index of that entry. opaque : the result goes through a call that no one can follow.
    """
    writer, lines = _Writer(way), []
    if planted is not None:
        name = writer.results()[planted]
        lines = [f"g = 1.0 * {name}", f"g[{entry}] += 1e-10 * np.abs(g).max()", f"{name} = g"]
        if opaque:
            lines.append(f"{name} = opaque({name})")
    module = writer.text(lines)
    if opaque:
        head = "import ctypes\n\nimport numpy as np\n"
        module = module.replace("import numpy as np\n", head + OPAQUE, 1)
    return module


OPAQUE = '''

def opaque(v):
    """A copy that C makes: nothing of NumPy's is called."""
    v = np.ascontiguousarray(v)
    out = np.empty(v.shape)
    ctypes.memmove(out.ctypes.data, v.ctypes.data, v.nbytes)
    return out

'''
