"""What nodes are called in print: the user's names, told apart, as text and as LaTeX.

An input keeps its name or place as it is: x, net.W1, params["W1"], Ws[0]. A name that the user
bound to several arrays, as in a loop over layers, is numbered in the order of binding: a⟨1⟩, a⟨2⟩,
in LaTeX a^{(1)}, a^{(2)}; it is never left open which one a bare name means. Numbers and sizes have
no names: `eps` that is 1e-8 is printed as 1e-8, for every 1e-8 in the graph is the same node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chainrule.graph.node import Node
from chainrule.typeset import letter

_GREEK = dict(
    zip(
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa mu nu xi pi rho sigma tau "
            "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
        ).split(),
        "αβγδεζηθικμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        strict=True,
    )
)
_PLACE = re.compile(r"[^\W\d]\w*|\d+|\"[^\"]*\"|'[^']*'|.", re.DOTALL)
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "_#%&${}"})


def latex_of(name: str) -> str:
    r"""A name or a place as LaTeX.

    >>> latex_of("W1"), latex_of("net.W1"), latex_of("Ws[0]"), latex_of('params["W1"]')
    ('W_{1}', '\\mathrm{net}.W_{1}', '\\mathrm{Ws}[0]', '\\mathrm{params}[\\text{W1}]')
    """
    if name.isidentifier():
        return letter(name)
    out = ""
    for token in _PLACE.findall(name):
        if token[0] in "\"'":
            out += rf"\text{{{token[1:-1].translate(_SPECIAL)}}}"
        elif token.isidentifier():
            out += letter(token)
        else:
            out += token.translate(_SPECIAL)
    return out


def function_text(name: str) -> str:
    """A function's name in text: sigma is σ.

    >>> function_text("sigma"), function_text("d_sigma")
    ('σ', 'd_sigma')
    """
    return _GREEK.get(name, name)


class Labels:
    """Text and LaTeX of named nodes; no two nodes have the same text, nor the same LaTeX."""

    def __init__(self, inputs: Mapping[str, Node], names: Mapping[Node, str]) -> None:
        self.text: dict[Node, str] = {}
        self.latex: dict[Node, str] = {}
        self._shown: set[str] = set()
        for name, node in inputs.items():
            if node.op not in ("const", "size"):
                self.text.setdefault(node, name)
        kept = set(self.text.values())
        bound: dict[str, list[Node]] = {}
        for node, name in names.items():
            if node in self.text or (node.op in ("const", "size") and not node.ndim):
                continue
            if node.op == "input":
                name = str(node.params[0])
            bound.setdefault(name, []).append(node)
        for name, nodes in bound.items():
            if len(nodes) == 1 and name not in kept:
                self.text[nodes[0]] = name
            else:
                for k, node in enumerate(nodes, 1):
                    self.text[node] = f"{name}⟨{k}⟩"
        for node, text in sorted(self.text.items(), key=lambda i: ("_" not in i[1], i[0].number)):
            self.latex[node] = self._latex(text)

    def _latex(self, text: str) -> str:
        """LaTeX that no other name has: of x1 and x_1, one is spelled out."""
        name, _, turn = text.partition("⟨")
        raised = f"^{{({turn[:-1]})}}" if turn else ""
        latex = latex_of(name) + raised
        if latex in self._shown:
            latex = rf"\mathrm{{{name.translate(_SPECIAL)}}}" + raised
        while latex in self._shown:
            latex += r"\,"
        self._shown.add(latex)
        return latex

    def fresh(self, stem: str, others: Iterable[str]) -> tuple[str, str]:
        """A new name t1, t2, … that nothing has, as text and LaTeX."""
        taken = {*self.text.values(), *others}
        k = 1
        while f"{stem}{k}" in taken:
            k += 1
        text = f"{stem}{k}"
        return text, self._latex(text)

    @property
    def words(self) -> set[str]:
        """Every identifier in the names, which indices must not have."""
        return {w for t in self.text.values() for w in re.findall(r"[^\W\d]\w*", t)}
