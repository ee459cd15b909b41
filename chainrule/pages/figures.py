"""The figures of a report, drawn by matplotlib from numbers that it is given. Computes none.

Figure objects only, no pyplot; the user's matplotlib settings are neither used nor changed. Each
function gives an SVG element to put into a page, the same bytes each time.
"""

from __future__ import annotations

import io
import math
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from chainrule.exhibition import NetworkExhibit, Training
from chainrule.pages.svg import INK, inline
from chainrule.pages.words import count, grouped, plain, power_of, scientific

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCENT = "#4a86c5"  # read on white and on near-black alike
WRONG = "#d0453a"
EQUAL = "#80868f"
WIDTH = 7.6  # inches, the text's width
STEPS = 12  # colours of the heat map
DRAWN = 2500  # cells of a heat map that are drawn one by one; more become a picture
SIZE = 8.5


@contextmanager
def _settings() -> Iterator[None]:
    """matplotlib as delivered, text as text, for the time being.

    It measures text in a font of its own, and warns of letters that this font lacks; the page's
    fonts have them.
    """
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "chainrule",
                "font.size": SIZE,
                "text.parse_math": False,
                "path.simplify": True,
                **dict.fromkeys(
                    ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color"), INK
                ),
                "ytick.color": INK,
            }
        )
        yield


def _svg(figure: Figure, prefix: str, label: str) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(figure)
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None}, dpi=144)
    return inline(out.getvalue(), prefix, plain(label))


def heat_map(network: NetworkExhibit) -> str:
    """|hand-coded − derived| of each Jacobian, entry by entry, in one logarithmic scale.

    Entries that are exactly equal have a grey of their own, those that are not finite a red.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    differences = [np.atleast_2d(np.asarray(row.difference, float)) for row in network.rows]
    seen = np.concatenate([d.ravel() for d in differences] or [np.zeros(0)])
    positive = seen[np.isfinite(seen) & (seen > 0)]
    cell = _cell(differences)
    wide = [max(d.shape[1] * cell, 0.72) for d in differences]
    rows, line = max((d.shape[0] for d in differences), default=1), 0.14
    bottom, top = 0.62, 0.5
    height = bottom + rows * cell + top
    with _settings():
        import matplotlib

        colours = matplotlib.colormaps["viridis"].resampled(STEPS)
        low, high = _decades(positive)
        norm = LogNorm(low, high)
        figure = Figure(figsize=(WIDTH, height))
        left = max((WIDTH - sum(wide) - 0.22 * (len(wide) - 1)) / 2, 0)
        for row, difference, width in zip(network.rows, differences, wide, strict=True):
            tall = difference.shape[0] * cell
            at = (left, height - top - tall, difference.shape[1] * cell, tall)
            axes = figure.add_axes(
                (at[0] / WIDTH, at[1] / height, at[2] / WIDTH, at[3] / height), frameon=False
            )
            _cells(axes, difference, colours, norm)
            shape = "×".join(str(n) for n in row.shape)
            for text, above, weight in (
                (plain(row.name), 2 * line, "bold"),
                (shape, line, "normal"),
            ):
                figure.text(
                    left / WIDTH, 1 - (top - above) / height, text, weight=weight, va="baseline"
                )
            left += width + 0.22
        if positive.size:
            bar = figure.add_axes((0.36, 0.3 / height, 0.5, 0.12 / height))
            figure.colorbar(ScalarMappable(norm, colours), cax=bar, orientation="horizontal")
            bar.xaxis.set_major_formatter(lambda v, _: "10" + power_of(round(math.log10(v))))
            bar.minorticks_off()
            bar.tick_params(length=2, width=0.5)
            for spine in bar.spines.values():
                spine.set_visible(False)
        _key(figure, height, 0.06, EQUAL, 0.35, "exactly equal")
        if seen.size and not np.isfinite(seen).all():
            _key(figure, height, 0.22, WRONG, 1.0, "not finite")
        worst = "; ".join(f"{row.name} {scientific(row.worst)}" for row in network.rows)
        return _svg(figure, "heat", f"The largest difference of each Jacobian: {worst}.")


def _cell(differences: list[np.ndarray]) -> float:
    """The side of a cell in inches: as large as the page's width and three inches' height allow."""
    wide = sum(d.shape[1] for d in differences if d.shape[1] > 3)
    narrow = sum(d.shape[1] <= 3 for d in differences)
    room = WIDTH - 0.22 * len(differences) - 0.72 * narrow
    tall = max((d.shape[0] for d in differences), default=1)
    return float(max(min(0.27, room / max(wide, 1), 3.0 / max(tall, 1)), 0.004))


def _decades(positive: np.ndarray) -> tuple[float, float]:
    """Whole powers of ten around the numbers."""
    if not positive.size:
        return 1e-17, 1e-16
    low = max(math.floor(math.log10(positive.min())), -300)
    high = max(math.ceil(math.log10(positive.max())), low + 1)
    return 10.0**low, 10.0**high


def _cells(axes: Axes, difference: np.ndarray, colours: object, norm: object) -> None:
    """One square for each entry."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    rows, columns = difference.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    gap = 0.05 if difference.size <= DRAWN else 0.0
    places = [(i, j) for i in range(rows) for j in range(columns)]
    paint = [_colour(float(difference[p]), colours, norm) for p in places]
    squares = [Rectangle((j + gap, i + gap), 1 - 2 * gap, 1 - 2 * gap) for i, j in places]
    collection = PatchCollection(squares, facecolors=paint, linewidths=0, clip_on=False)
    collection.set_rasterized(difference.size > DRAWN)
    axes.add_collection(collection)


def _colour(value: float, colours: object, norm: object) -> tuple[float, ...]:
    from matplotlib.colors import to_rgba

    if not math.isfinite(value):
        return to_rgba(WRONG)
    if value == 0:
        return to_rgba(EQUAL, 0.35)
    return tuple(colours(norm(value)))  # type: ignore[operator]


def _key(figure: Figure, height: float, left: float, colour: str, alpha: float, word: str) -> None:
    """A square of a colour, and what it means."""
    from matplotlib.patches import Rectangle

    figure.add_artist(
        Rectangle(
            (left, 0.3 / height), 0.12 / WIDTH, 0.12 / height, color=colour, alpha=alpha, lw=0
        )
    )
    figure.text(left + 0.2 / WIDTH, 0.31 / height, word, va="baseline")


def heart(training: Training) -> str:
    """The target curve, the curves on the way fading in, and the last one."""
    from matplotlib.figure import Figure

    with _settings():
        figure = Figure(figsize=(3.6, 3.6))
        axes = figure.add_axes((0.02, 0.14, 0.96, 0.84), frameon=False)
        axes.set(aspect="equal", xticks=[], yticks=[])
        target = np.asarray(training.y, float)
        axes.plot(*target, color=INK, alpha=0.22, lw=5, label="target", clip_on=False)
        last = len(training.curves) - 1
        for number, (iteration, curve) in enumerate(sorted(training.curves.items())):
            final = number == last
            axes.plot(
                *np.asarray(curve, float),
                color=ACCENT,
                alpha=1.0 if final else 0.25 + 0.45 * number / max(last, 1),
                lw=1.9 if final else 1.0,
                label=grouped(int(iteration)),
                clip_on=False,
            )
        handles, labels = axes.get_legend_handles_labels()
        shown = list(zip(handles, labels, strict=True))
        if len(shown) > 6:
            shown = [*shown[:2], *shown[2:-1][:: math.ceil(len(shown[2:-1]) / 3)], shown[-1]]
        figure.legend(
            [h for h, _ in shown],
            [text for _, text in shown],
            loc="lower center",
            ncols=3,
            frameon=False,
            handlelength=1.4,
            columnspacing=1.4,
        )
        label = f"The target curve, and the network's output after {', '.join(labels[1:])} steps."
        return _svg(figure, "heart", label)


def cost(training: Training) -> str:
    """The cost over the iterations, the cost on a logarithmic axis."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _settings():
        figure = Figure(figsize=(3.6, 3.6))
        axes = figure.add_axes((0.14, 0.14, 0.8, 0.76))
        steps = [float(i) for i, _ in training.history]
        costs = [float(c) for _, c in training.history]
        axes.plot(steps, costs, color=ACCENT, lw=1.9)
        positive = [c for c in costs if c > 0]
        if positive:
            axes.set_yscale("log")
            low, high = min(positive), max(positive)
            axes.set_ylim(low / 1.3, high * 1.3)
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            ticks = [m * 10.0**p for p in powers for m in ((1,) if len(powers) > 3 else (1, 2, 5))]
            axes.set_yticks([t for t in ticks if low / 1.3 <= t <= high * 1.3])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(lambda v, _: scientific(v))
        axes.xaxis.set_major_formatter(lambda v, _: grouped(round(v)))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_xlabel("step")
        axes.text(-0.1, 1.04, "cost", transform=axes.transAxes)
        axes.grid(color=INK, alpha=0.12, lw=0.6)
        axes.tick_params(length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_linewidth(0.6)
        words = f"The cost falls from {scientific(costs[0])} to {scientific(costs[-1])}"
        label = f"{words} in {count(int(steps[-1]), 'step')}." if costs else "No cost was recorded."
        return _svg(figure, "cost", label)
