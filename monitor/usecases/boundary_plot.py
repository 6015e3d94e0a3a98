"""A picture of a stopping boundary: the counts that stop, and the chance of stopping."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import UsageError
from monitor.statistics.operating import operate
from monitor.usecases.boundaries import Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 100  # of the curve
STOP, GO, MARK = "#b3261e", "#1f4e79", "#444444"


def plot(shown: Shown, path: Path) -> None:
    """Draw the boundary and the chance of stopping as .png or .svg. Raises UsageError for other endings."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"--plot: {path.name} must end in .png or .svg")
    # matplotlib takes a second to load, which only this command should wait for
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _counts(left, shown)
    _chances(right, shown)
    given = ", ".join(f"{name} {_number(value)}" for name, value in shown.boundary.design.given.items())
    figure.suptitle(f"Stopping boundary: {shown.boundary.design.method} ({given})", fontsize=11)
    figure.savefig(
        path, dpi=150, metadata={"Software": None} if path.suffix.lower() == ".png" else {"Date": None}
    )


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return "/".join(f"{part:g}" for part in value)
    return str(value)


def _counts(axes: Axes, shown: Shown) -> None:
    """The boundary as a stair of points: at and above them the study stops."""
    table = shown.boundary.table
    subjects, counts = [n for n, _ in table], [count for _, count in table]
    last = len(shown.boundary.stops)
    axes.fill_between(subjects, counts, max(counts) + 1, step="mid", color=STOP, alpha=0.12, linewidth=0)
    axes.plot(subjects, counts, drawstyle="steps-mid", color=STOP, linewidth=1)
    axes.plot(subjects, counts, ".", color=STOP, markersize=5)
    axes.annotate("stop", (subjects[0] + 0.03 * last, max(counts) + 0.45), color=STOP, fontsize=11)
    axes.set(
        xlabel="evaluable subjects",
        ylabel="subjects with an event",
        title="Stop at this many or more",
        xlim=(0, last + 1),
        ylim=(0, max(counts) + 1),
    )
    axes.locator_params(axis="y", integer=True)
    axes.grid(alpha=0.25)


def _chances(axes: Axes, shown: Shown) -> None:
    """The chance of ever stopping against the true probability of an event."""
    design, stops = shown.boundary.design, shown.boundary.stops
    wide = min(1.0, 1.2 * max(each.p for each in shown.operating))
    grid = [wide * point / POINTS for point in range(POINTS + 1)]
    axes.plot(grid, [operate(stops, p).stop for p in grid], color=GO)
    axes.plot([each.p for each in shown.operating], [each.stop for each in shown.operating], "o", color=GO)
    for name, p in (("p0", design.p0), ("p1", design.p1)):
        if p is not None:
            axes.axvline(p, color=MARK, linewidth=0.8, linestyle=":")
            axes.annotate(f" {name} = {p:g}", (p, 0.96), color=MARK, fontsize=9)
    if design.alpha is not None:
        axes.axhline(design.alpha, color=MARK, linewidth=0.8, linestyle=":")
        axes.annotate(f"alpha = {design.alpha:g}", (wide, design.alpha), ha="right", va="bottom", fontsize=9)
    axes.set(
        xlabel="true probability of an event",
        ylabel="chance of ever stopping",
        title=f"Chance of stopping within {len(stops)} subjects",
        xlim=(0, wide),
        ylim=(0, 1.02),
    )
    axes.grid(alpha=0.25)
