"""boundaries: the table of a stopping boundary and how it behaves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import FormOption
from monitor.cli.output import Form, say, show, show_document
from monitor.errors import Problem, UsageError
from monitor.statistics.designs import Design, Method
from monitor.usecases.boundaries import Shown, show_boundary
from monitor.usecases.boundary_plot import plot

MethodArgument = Annotated[Method, typer.Argument(help="How the boundary is made.")]


def boundaries(
    method: MethodArgument,
    p0: Annotated[float | None, typer.Option("--p0", help="The acceptable event probability.")] = None,
    p1: Annotated[float | None, typer.Option("--p1", help="sprt: the one that must not be missed.")] = None,
    alpha: Annotated[
        float | None, typer.Option("--alpha", help="The chance of ever stopping at p0, at most.")
    ] = None,
    n: Annotated[int | None, typer.Option("--n", help="Up to how many subjects.")] = None,
    prior: Annotated[str, typer.Option("--prior", help="beta-binomial: a,b of the Beta prior.")] = "",
    cutoff: Annotated[
        float | None, typer.Option("--cutoff", help="beta-binomial: a posterior, in place of alpha.")
    ] = None,
    at_least: Annotated[int | None, typer.Option("--at-least", help="count: stop at so many.")] = None,
    above: Annotated[float | None, typer.Option("--above", help="share: stop above this share.")] = None,
    min_subjects: Annotated[
        int | None, typer.Option("--min-subjects", help="share: of at least so many subjects.")
    ] = None,
    p: Annotated[str, typer.Option("--p", help="Probabilities to look at, such as .05,.15,.25.")] = "",
    picture: Annotated[Path | None, typer.Option("--plot", help="Draw it: a .png or .svg file.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Show at which counts a study stops, and how likely that is at several event probabilities.

    As CSV only the table; as JSON all of it.
    """
    wrong: list[Problem] = []
    beta, at = _pair(prior, wrong), _numbers(p, "--p", wrong)
    design = Design(method, p0, p1, alpha, n, beta, cutoff, at_least, above, min_subjects)
    found = _found(design, at, wrong)
    if picture is not None:
        plot(found, picture)
    if form is Form.JSON:
        show_document(found.document)
    elif form is Form.CSV:
        show(found.document["table"], form, columns=("n", "stop_at"))
    else:
        _drawn(found)


def _pair(text: str, wrong: list[Problem]) -> tuple[float, float] | None:
    """Two numbers; of others a pair that nothing else is wrong with, after the problem was added."""
    if not text:
        return None
    refused: list[Problem] = []
    numbers = _numbers(text, "--prior", refused)
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    wrong.append(Problem("--prior", f"{text} is not two numbers: write them as 0.6,2.4"))
    return 1.0, 1.0


def _numbers(text: str, option: str, wrong: list[Problem]) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        wrong.append(Problem(option, f"{text} is not numbers with commas between them"))
        return []


def _found(design: Design, at: list[float], wrong: list[Problem]) -> Shown:
    """The boundary; raises UsageError with what was wrong before, and what the design says."""
    try:
        found = show_boundary(design, at)
    except UsageError as error:
        raise UsageError("\n".join([*map(str, wrong), str(error)])) from None
    if wrong:
        raise UsageError("\n".join(map(str, wrong)))
    return found


def _drawn(found: Shown) -> None:
    """For a person: the table in ranges, then what to expect."""
    made = found.boundary
    given = ", ".join(f"{name} {value}" for name, value in made.design.given.items())
    say(f"{made.design.method}: {given}", "bold")
    for name, value in (("each look", made.pointwise), ("cut-off", made.cutoff)):
        if value is not None:
            say(f"{name}: {value:.10g}")
    rows = [{"subjects": each.subjects, "stop_at": each.stop_at} for each in found.ranges]
    show(rows, Form.TABLE, columns=("subjects", "stop_at"))
    show(
        [{name: f"{value:.6g}" for name, value in asdict(each).items()} for each in found.operating],
        Form.TABLE,
        columns=("p", "stop", "events", "subjects"),
    )
    say("Stop at so many events or more. `stop` is the chance of ever reaching that at p; events and")
    say("subjects are expected when it is reached, or at the end of the table.")
