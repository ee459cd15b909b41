"""A definition's syntax tree to one in which every event passes the hook.

The code reads three names that no source can contain: `.hook`, `.sites` (cells of the clone) and
`.frame` (a local of each call). Short circuits stay Python's own `and` and `or`, over holders that
ask the hook for their truth; stores go through properties of holders, so that Python keeps the
order. Every new node stands where the old one stood: tracebacks show the user's lines.
"""

from __future__ import annotations
import __future__

import ast
import copy
from types import CodeType
from typing import Any

from chainrule.code.source import Definition, Site, Source, Unfollowable, quietly

HOOK, SITES, FRAME, MAKE = ".hook", ".sites", ".frame", ".make"

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
#: What is caught, and says nothing of how numbers come out; and contexts that swallow nothing.
UNRELATED = frozenset(
    "AttributeError TypeError KeyError NameError ImportError ModuleNotFoundError AssertionError "
    "NotImplementedError StopIteration UnboundLocalError".split()
)
CONTEXTS = frozenset("errstate printoptions catch_warnings nullcontext open Lock RLock".split())
#: Builtins that read the frame they are called from: called there, not by the hook.
OF_THE_FRAME = ("locals", "vars", "dir", "globals", "eval", "exec")


def _read(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _place(new: Any, old: Any) -> Any:
    """Puts `new` on the span of `old`, the pieces made with it on its first character."""
    todo: list[Any] = [new]
    while todo:
        node = todo.pop()
        if "lineno" in node._attributes:
            if hasattr(node, "lineno"):
                continue
            node.lineno = node.end_lineno = old.lineno
            node.col_offset = node.end_col_offset = old.col_offset
        todo.extend(ast.iter_child_nodes(node))
    # a multi-line attribute would move the line of what is done with it to its end
    if not isinstance(new, ast.Attribute) or old.lineno == old.end_lineno:
        new.end_lineno, new.end_col_offset = old.end_lineno, old.end_col_offset
    return new


def _anchor(node: Any) -> Any:
    """Where Python reports a call or an attribute that spans lines: at the attribute's name."""
    attribute = node.func if isinstance(node, ast.Call) else node
    if isinstance(attribute, ast.Attribute) and attribute.lineno != attribute.end_lineno:
        place = ast.Name("_", ast.Load())
        place.lineno = attribute.end_lineno or attribute.lineno
        place.col_offset = max((attribute.end_col_offset or 0) - len(attribute.attr), 0)
        place.end_lineno, place.end_col_offset = node.end_lineno, node.end_col_offset
        return place
    return node


def _last(node: Any) -> str:
    """The last name of what is caught or entered: `np.linalg.LinAlgError` is LinAlgError."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


_ENDS = (ast.Return, ast.Break, ast.Continue)


def _caught(node: ast.ExceptHandler) -> str:
    """What a handler means to a trace: `catches` exceptions that numbers may raise, or `traps`
    those of floating point; "" for neither, and where it raises again."""
    if isinstance(node.body[-1], ast.Raise):
        return ""
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    names = [_last(k) for k in kinds]
    if any(n == "FloatingPointError" or n.endswith("Warning") for n in names):
        return "traps"
    return "" if UNRELATED.issuperset(names) else "catches"


def _mangled(name: str, owner: str | None) -> str:
    """A private name as a class's code spells it."""
    if owner is None or not name.startswith("__") or name.endswith("__") or not owner.strip("_"):
        return name
    return f"_{owner.lstrip('_')}{name}"


class _Rewriter(ast.NodeTransformer):
    """One definition; `sites` grows with it."""

    def __init__(self, source: Source, qualname: str, owner: str | None) -> None:
        self.source = source
        self.function = qualname
        self.owner = owner
        self.sites: list[Site] = []
        self.in_class = False
        self.formatted: ast.JoinedStr | None = None  # the f-string that we are in
        self.in_iterable = 0  # `:=` is forbidden in what a comprehension runs over

    # -- pieces --------------------------------------------------------------------------------

    def site(self, node: Any, kind: str, last: Any = None) -> ast.expr:
        if self.formatted is not None:
            node, last = self.formatted, None
        self.sites.append(self.source.site(node, kind, self.function, last))
        return ast.Subscript(_read(SITES), ast.Constant(len(self.sites) - 1), ast.Load())

    def ask(self, owner: str, method: str, *arguments: ast.expr) -> ast.Call:
        return ast.Call(ast.Attribute(_read(owner), method, ast.Load()), list(arguments), [])

    def bind(self, name: str, value: ast.expr, site: ast.expr) -> ast.expr:
        version = self.ask(FRAME, "version", ast.Constant(name))
        return self.ask(HOOK, "assign", ast.Constant(name), value, version, site)

    def told(self, names: list[ast.Name], at: Any = None) -> list[ast.stmt]:
        """Statements that tell of names just bound. Not in a class: it may forbid binding twice."""
        if self.in_class:
            return []
        return [
            _place(
                ast.Assign(
                    [ast.Name(n.id, ast.Store())],
                    self.bind(n.id, _read(n.id), self.site(at or n, "assign")),
                ),
                at or n,
            )
            for n in names
        ]

    def all(self, nodes: list[Any]) -> list[Any]:
        out: list[Any] = []
        for node in nodes:
            new = self.visit(node)
            out.extend(new if isinstance(new, list) else [new])
        return out

    def target(self, node: Any, names: list[ast.Name]) -> Any:
        """What is stored to or deleted: items and attributes become properties of holders."""
        if isinstance(node, ast.Name):
            names.append(node)
        elif isinstance(node, ast.Tuple | ast.List):
            node.elts = [self.target(e, names) for e in node.elts]
        elif isinstance(node, ast.Starred):
            node.value = self.target(node.value, names)
        elif isinstance(node, ast.Attribute | ast.Subscript):
            return _place(
                ast.Attribute(self.holder(node, "store"), "value", node.ctx), _anchor(node)
            )
        return node

    def holder(self, node: ast.Attribute | ast.Subscript, kind: str, *more: ast.expr) -> ast.expr:
        site = self.site(node, kind)
        value = self.visit(node.value)
        if isinstance(node, ast.Attribute):
            name = ast.Constant(_mangled(node.attr, self.owner))
            return self.ask(FRAME, "field", value, name, site, *more)
        return self.ask(FRAME, "item", value, self.index(node.slice), site, *more)

    def index(self, node: Any) -> Any:
        if isinstance(node, ast.Slice):
            parts = [
                ast.Constant(None) if p is None else self.visit(p)
                for p in (node.lower, node.upper, node.step)
            ]
            return _place(self.ask(FRAME, "slice", *parts), node)
        if isinstance(node, ast.Tuple):
            node.elts = [self.index(e) for e in node.elts]
            return node
        return self.visit(node)

    # -- conditions ----------------------------------------------------------------------------

    def condition(self, node: Any, kind: str) -> Any:
        """A test in which every truth is asked for once, where Python asks for it."""
        if isinstance(node, ast.BoolOp):
            word = "and" if isinstance(node.op, ast.And) else "or"
            return _place(ast.BoolOp(node.op, [self.condition(v, word) for v in node.values]), node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _place(ast.UnaryOp(node.op, self.condition(node.operand, "not")), node)
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            return self.chain(node, kind)
        if isinstance(node, ast.Constant):
            return node  # `while True` stays so
        site = self.site(node, "condition")
        return _place(self.ask(HOOK, "condition", self.visit(node), site, ast.Constant(kind)), node)

    def chain(self, node: ast.Compare, kind: str) -> Any:
        """a < b < c as Python's own `and` over holders; the frame keeps b in between."""
        operands = [node.left, *node.comparators]
        links: list[ast.expr] = []
        for i, op in enumerate(node.ops):
            symbol = ast.Constant(COMPARE[type(op)])
            site = self.site(operands[i], "compare", operands[i + 1])
            last = ast.Constant(i == len(node.ops) - 1)
            pair = [self.visit(operands[0])] if i == 0 else []
            pair.append(self.visit(operands[i + 1]))
            word = "opened" if i == 0 else "linked"
            link = self.ask(FRAME, word, *pair, symbol, site, last, ast.Constant(kind))
            links.append(_place(link, node))
        return _place(ast.BoolOp(ast.And(), links), node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        word = "and" if isinstance(node.op, ast.And) else "or"
        values: list[ast.expr] = []
        for v in node.values:
            site = self.site(v, "condition")
            values.append(
                _place(self.ask(FRAME, "truth", self.visit(v), site, ast.Constant(word)), v)
            )
        return _place(
            ast.Attribute(_place(ast.BoolOp(node.op, values), node), "value", ast.Load()), node
        )

    def visit_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) > 1:
            return _place(ast.Attribute(self.chain(node, "compare"), "value", ast.Load()), node)
        symbol = ast.Constant(COMPARE[type(node.ops[0])])
        site = self.site(node, "compare")
        left, right = self.visit(node.left), self.visit(node.comparators[0])
        return _place(self.ask(HOOK, "compare", symbol, left, right, site), node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        node.test = self.condition(node.test, "ifexp")
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    # -- values --------------------------------------------------------------------------------

    def visit_Constant(self, node: ast.Constant) -> Any:
        if type(node.value) not in (int, float, complex):
            return node
        site = self.site(node, "literal")
        text = ast.Constant(self.sites[-1].text)
        return _place(self.ask(HOOK, "literal", ast.Constant(node.value), text, site), node)

    def as_it_is(self, node: Any) -> Any:
        """Coroutines, types."""
        return node

    visit_TemplateStr = visit_TypeAlias = visit_AsyncFunctionDef = as_it_is

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        outer, site = self.formatted, self.site(node, "text")
        self.formatted = outer or node  # Python 3.11 does not know the places in it
        self.formatted_parts(node)
        self.formatted = outer
        return _place(self.ask(HOOK, "text", node, site), node)

    def formatted_parts(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
                if isinstance(part.format_spec, ast.JoinedStr):
                    self.formatted_parts(part.format_spec)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        symbol, site = ast.Constant(BINARY[type(node.op)]), self.site(node, "binary")
        left, right = self.visit(node.left), self.visit(node.right)
        return _place(self.ask(HOOK, "binary", symbol, left, right, site), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return self.condition(node, "not")
        symbol, site = ast.Constant(UNARY[type(node.op)]), self.site(node, "unary")
        return _place(self.ask(HOOK, "unary", symbol, self.visit(node.operand), site), node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        site, name = self.site(node, "attribute"), ast.Constant(_mangled(node.attr, self.owner))
        return _place(
            self.ask(HOOK, "attribute", self.visit(node.value), name, site), _anchor(node)
        )

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        site = self.site(node, "subscript")
        value, index = self.visit(node.value), self.index(node.slice)
        return _place(self.ask(HOOK, "subscript", value, index, site), node)

    def visit_Call(self, node: ast.Call) -> Any:
        at, plain = _anchor(node), node.func.id if isinstance(node.func, ast.Name) else ""
        if plain == "super" and not node.args and not node.keywords:
            return node  # it reads the frame; what is called on it passes the hook
        site = self.site(node, "call")
        function = self.visit(node.func)
        arguments: list[ast.expr] = [self.visit(a) for a in node.args]
        for k in node.keywords:
            k.value = self.visit(k.value)
        if plain in OF_THE_FRAME:
            inside = self.ask(FRAME, "inside", function, ast.Constant(plain), site)
            new = _place(ast.Call(_place(inside, node), arguments, node.keywords), at)
            return _place(self.ask(FRAME, "hidden", new), at)
        if any(isinstance(a, ast.Starred) for a in arguments) or any(
            k.arg is None for k in node.keywords
        ):
            packed = _place(self.ask(FRAME, "packed", function, site), at)
            return _place(ast.Call(packed, arguments, node.keywords), at)
        names: list[ast.expr | None] = [
            ast.Constant(_mangled(str(k.arg), self.owner)) for k in node.keywords
        ]
        values = ast.Dict(names, [k.value for k in node.keywords])
        new = self.ask(HOOK, "call", function, ast.Tuple(arguments, ast.Load()), values, site)
        return _place(new, at)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Any:
        site = self.site(node, "assign")
        node.value = _place(self.bind(node.target.id, self.visit(node.value), site), node)
        return node

    # -- comprehensions and lambdas ------------------------------------------------------------

    def comprehension(self, node: Any) -> Any:
        if any(g.is_async for g in node.generators):
            return node
        for g in node.generators:
            self.in_iterable += 1
            g.iter = self.iterate(g.iter, "comprehension")
            self.in_iterable -= 1
            names: list[ast.Name] = []
            g.target = self.target(g.target, names)
            tests = [self.condition(test, "comprehension") for test in g.ifs]
            g.ifs = [_place(self.heard(n.id, n, "assign"), n) for n in names] + tests
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                setattr(node, part, self.visit(getattr(node, part)))
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension

    def iterate(self, node: Any, kind: str) -> Any:
        site = self.site(node, kind)
        return _place(self.ask(HOOK, "iterate", self.visit(node), site), node)

    def heard(self, name: str, node: Any, kind: str) -> ast.expr:
        """An expression that tells of a name and is true."""
        return self.ask(FRAME, "heard", ast.Constant(name), _read(name), self.site(node, kind))

    def defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.visit(d) for d in arguments.defaults]
        arguments.kw_defaults = [d and self.visit(d) for d in arguments.kw_defaults]

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        self.defaults(node.args)
        outer, self.function = self.function, self.inside("<lambda>")
        in_class, self.in_class = self.in_class, False
        new = self.lambda_body(node)
        self.function, self.in_class = outer, in_class
        return new

    def inside(self, name: str) -> str:
        return f"{self.function}.{name}" if self.in_class else f"{self.function}.<locals>.{name}"

    def entered(self, node: Any) -> ast.expr:
        return self.ask(HOOK, "enter", ast.Constant(self.function), self.site(node, "function"))

    def lambda_body(self, node: ast.Lambda) -> ast.Lambda:
        body, entered = node.body, self.entered(node)
        told = [self.heard(a.arg, a, "argument") for a in _parameters(node.args)]
        value = self.ask(HOOK, "ret", self.visit(body), self.site(body, "return"))
        left = self.ask(HOOK, "leave", _read(FRAME))
        if self.in_iterable:
            parts = [*told, value, left]
            frame = ast.arguments([], [ast.arg(FRAME)], None, [], [], None, [])
            new: ast.expr = ast.Call(ast.Lambda(frame, self.last_but_one(parts)), [entered], [])
        else:
            start = ast.NamedExpr(ast.Name(FRAME, ast.Store()), entered)
            new = self.last_but_one([start, *told, value, left])
        node.body = _place(new, body)
        return node

    def last_but_one(self, parts: list[ast.expr]) -> ast.expr:
        return ast.Subscript(ast.Tuple(parts, ast.Load()), ast.Constant(-2), ast.Load())

    # -- statements ----------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> Any:
        node.value = self.visit(node.value)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            site = self.site(node, "assign")
            node.value = _place(self.bind(node.targets[0].id, node.value, site), node)
            return node
        if any(isinstance(t, ast.Tuple | ast.List) for t in node.targets):
            site = self.site(node, "unpack")
            node.value = _place(self.ask(HOOK, "unpack", node.value, site), node.value)
        names: list[ast.Name] = []
        node.targets = [self.target(t, names) for t in node.targets]
        return [node, *self.told(names, node)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return node
        node.value = self.visit(node.value)
        if isinstance(node.target, ast.Name):
            site = self.site(node, "assign")
            node.value = _place(self.bind(node.target.id, node.value, site), node)
        else:
            node.target = self.target(node.target, [])
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        symbol, site = ast.Constant(BINARY[type(node.op)]), self.site(node, "inplace")
        if isinstance(node.target, ast.Name):
            name, value = node.target.id, self.visit(node.value)
            result = self.ask(HOOK, "inplace", symbol, _read(name), value, site)
            bound = self.bind(name, result, self.site(node, "assign"))
            return _place(ast.Assign([ast.Name(name, ast.Store())], bound), node)
        holder = self.holder(node.target, "store", symbol, site)
        place = _place(ast.Attribute(holder, "value", ast.Store()), _anchor(node.target))
        return _place(ast.AugAssign(place, ast.BitOr(), self.visit(node.value)), node)

    def visit_Delete(self, node: ast.Delete) -> Any:
        node.targets = [self.target(t, []) for t in node.targets]
        return node

    def visit_For(self, node: ast.For) -> Any:
        node.iter = self.iterate(node.iter, "for")
        names: list[ast.Name] = []
        node.target = self.target(node.target, names)
        node.body = [*self.told(names), *self.all(node.body)]
        node.orelse = self.all(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> Any:
        start = ast.Expr(self.ask(FRAME, "loop", self.site(node, "while")))
        turn = ast.Expr(self.ask(FRAME, "turn", self.site(node, "while")))
        node.test = self.condition(node.test, "while")
        node.body = [_place(turn, node.body[0]), *self.all(node.body)]
        node.orelse = self.all(node.orelse)
        return [_place(start, node), node]

    def visit_If(self, node: ast.If) -> Any:
        node.test = self.condition(node.test, "if")
        node.body, node.orelse = self.all(node.body), self.all(node.orelse)
        return node

    def visit_Assert(self, node: ast.Assert) -> Any:
        node.test = self.condition(node.test, "assert")
        node.msg = node.msg and self.visit(node.msg)
        return node

    def visit_Try(self, node: Any) -> Any:
        """`finally` with a return, a break or a continue swallows what was raised."""
        ends = [n for s in node.finalbody for n in ast.walk(s) if isinstance(n, _ENDS)]
        if ends:
            self.site(ends[0], "catches")
        return self.generic_visit(node)

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> Any:
        if kind := _caught(node):
            self.site(node, kind)
        return self.generic_visit(node)

    def visit_With(self, node: ast.With) -> Any:
        names: list[ast.Name] = []
        for item in node.items:
            if _last(item.context_expr) not in CONTEXTS:  # it may swallow exceptions
                self.site(item.context_expr, "catches")
            item.context_expr = self.visit(item.context_expr)
            item.optional_vars = item.optional_vars and self.target(item.optional_vars, names)
        node.body = [*self.told(names), *self.all(node.body)]
        return node

    def visit_Match(self, node: ast.Match) -> Any:
        node.subject = self.visit(node.subject)
        for case in node.cases:
            case.guard = case.guard and self.condition(case.guard, "match")
            names = [
                _place(ast.Name(name, ast.Store()), part)
                for part in ast.walk(case.pattern)
                for name in [getattr(part, "rest", None) or getattr(part, "name", None)]
                if name
            ]
            case.body = [*self.told(names), *self.all(case.body)]
        return node

    def visit_Return(self, node: ast.Return) -> Any:
        value = ast.Constant(None) if node.value is None else self.visit(node.value)
        node.value = _place(self.ask(HOOK, "ret", value, self.site(node, "return")), node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.decorator_list = self.decorators(node.decorator_list)
        node.bases = self.all(node.bases)
        for k in node.keywords:
            k.value = self.visit(k.value)
        saved = self.function, self.in_class, self.owner
        self.function, self.in_class, self.owner = self.inside(node.name), True, node.name
        node.body = self.all(node.body)
        self.function, self.in_class, self.owner = saved
        return node

    def decorators(self, nodes: list[ast.expr]) -> list[ast.expr]:
        sites = [self.site(n, "call") for n in nodes]
        return [
            _place(self.ask(FRAME, "decorator", self.visit(n), site), n)
            for n, site in zip(nodes, sites, strict=True)
        ]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.decorator_list = self.decorators(node.decorator_list)
        self.defaults(node.args)
        outer, self.function = self.function, self.inside(node.name)
        in_class, self.in_class = self.in_class, False
        self.function_body(node)
        self.function, self.in_class = outer, in_class
        return node

    def function_body(self, node: ast.FunctionDef) -> None:
        body, head = node.body, []
        if ast.get_docstring(node, clean=False) is not None:
            head, body = body[:1], body[1:]
        start = ast.Assign([ast.Name(FRAME, ast.Store())], self.entered(node))
        told: list[ast.stmt] = []
        for a in _parameters(node.args):
            bound = self.bind(a.arg, _read(a.arg), self.site(a, "argument"))
            told.append(_place(ast.Assign([ast.Name(a.arg, ast.Store())], bound), a))
        left = ast.Expr(self.ask(HOOK, "leave", _read(FRAME)))
        whole = ast.Try([*told, *self.all(body)] or [ast.Pass()], [], [], [left])
        node.body = [*head, _place(start, node), _place(whole, node)]


def _parameters(a: ast.arguments) -> list[ast.arg]:
    extra = [v for v in (a.vararg, a.kwarg) if v is not None]
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *extra]


def _complete(node: Any) -> Any:
    """A definition with the fields that later Pythons added."""
    for name in node._fields:
        if name in ("type_params", "decorator_list", "keywords", "bases"):
            setattr(node, name, [])
    return node


def _renamed(code: CodeType, old: str, new: str) -> CodeType:
    """A code object, and those in it, with qualified names as in the original."""

    def name(text: Any) -> Any:  # a class in it keeps its qualified name as a constant
        inside = isinstance(text, str) and text.startswith(f"{old}.<locals>.")
        return new + text.removeprefix(old) if inside else text

    constants = tuple(
        _renamed(c, old, new) if isinstance(c, CodeType) else name(c) for c in code.co_consts
    )
    qualname = new if code.co_qualname == old else name(code.co_qualname)
    return code.replace(co_consts=constants, co_qualname=qualname)


def rewrite(
    source: Source, node: Definition, owner: str | None, code: CodeType
) -> tuple[CodeType, tuple[Site, ...]]:
    """The code of a definition's clone, and the sites that it refers to.

    owner : the class around it, whose name private names bear. code : the original.
    Returns a code object whose free variables are the original's, `.hook` and `.sites`.
    Raises Unfollowable for coroutines.
    """
    if isinstance(node, ast.AsyncFunctionDef):
        raise Unfollowable(
            f"{code.co_qualname} at {source.file}:{node.lineno} is async, which is not followed; "
            "give a plain function that computes its value"
        )
    node = copy.deepcopy(node)  # the file's tree is read again for its other functions
    rewriter = _Rewriter(source, code.co_qualname, owner)
    arguments = node.args  # defaults live in the function object
    arguments.defaults = [_place(ast.Constant(None), d) for d in arguments.defaults]
    arguments.kw_defaults = [d and _place(ast.Constant(None), d) for d in arguments.kw_defaults]
    statement: ast.stmt
    if isinstance(node, ast.Lambda):
        statement = _place(ast.Expr(rewriter.lambda_body(node)), node)
    else:
        for a in _parameters(arguments):
            a.annotation = None
        node.returns = None
        rewriter.function_body(node)
        statement = _complete(node)
    if owner is not None:
        scope = _complete(ast.ClassDef(owner, [], [], [], []))
        scope.body = [statement]
        statement = _place(scope, node)
    free = [HOOK, SITES, *(name for name in code.co_freevars if name not in (HOOK, SITES))]
    parameters = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
    make = _complete(ast.FunctionDef(MAKE, parameters, [], []))
    # what the scaffold binds must not hide the global that the code reads by that name
    bound = owner if owner is not None else getattr(node, "name", HOOK)
    make.body = [*([] if bound in free else [ast.Global([bound])]), statement]
    module = ast.Module([_place(make, node)], [])
    flags = code.co_flags & __future__.annotations.compiler_flag
    with quietly():
        new: CodeType = compile(module, source.file, "exec", flags=flags, dont_inherit=True)
    for name in [MAKE, *([owner] if owner is not None else []), code.co_name]:
        new = next(c for c in new.co_consts if isinstance(c, CodeType) and c.co_name == name)
    return _renamed(new, new.co_qualname, code.co_qualname), tuple(rewriter.sites)
