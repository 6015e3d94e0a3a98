"""The keys of a rule file, typed: TOML → frozen shapes, every wrong key or type at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.errors import Problem
from monitor.records import Severity
from monitor.rules.rate import Over
from monitor.rules.rule import At, Each, Open, Per, State, Tie
from monitor.rules.scope import suggest
from monitor.statistics.designs import Method

Word = TypeVar("Word")
Loose = Field(strict=False)  # TOML has no enumerations: a text becomes one


class Shape(BaseModel):
    """A table of a rule file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Repeat(Shape):
    """`find.repeat`."""

    times: int = Field(ge=2)
    occasion: str = "0d"
    max_gap: str | None = None


class Find(Shape):
    """`[find]`: records of a domain, or those that other rules found."""

    domain: str | None = Field(default=None, alias="in")
    rule: str | list[str] | None = None
    of: str | None = None
    unit: str = ""
    where: str | None = None
    repeat: Repeat | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of `rule`, each once."""
        given = [self.rule] if isinstance(self.rule, str) else self.rule or []
        return tuple(dict.fromkeys(given))


class Sum(Shape):
    """`sum` of a clause."""

    of: str
    per: Annotated[Each, Loose]
    where: str


class With(Shape):
    """`[[with]]`: another record, or an episode of another rule."""

    domain: str | None = Field(default=None, alias="in")
    of: str | None = None
    unit: str = ""
    where: str | None = None
    window: str | None = None
    at: Annotated[At | None, Loose] = None
    count: Annotated[int, Field(ge=1)] | None = None
    sum: Sum | None = None
    latest: bool = False
    linked: bool = False
    tie: Annotated[Tie | None, Loose] = None
    rule: str | None = None
    same_day: bool | None = None
    state: Annotated[State | None, Loose] = None
    run_end: bool = False


class Without(With):
    """`[[without]]`: no such record or episode."""

    open: Annotated[Open | None, Loose] = None


class AnyGroup(Shape):
    """`[[any]]`: of its `with` and `without`, one must hold."""

    with_: list[With] = Field(default=[], alias="with")
    without: list[Without] = []
    run_end: bool = False


class Due(Shape):
    """`[due]`, also of a level."""

    within: str = Field(pattern=r"^[1-9]\d{0,3}[dh]$")
    start: str = Field(default="detected", alias="from")


class Level(Shape):
    """`[[level]]`."""

    severity: Annotated[Severity, Loose]
    where: str | None = None
    with_: list[With] = Field(default=[], alias="with")
    without: list[Without] = []
    note: str = ""
    due: Due | None = None


class Clear(Shape):
    """`[clear]`."""

    where: str
    unit: str = ""


class Among(Shape):
    """`rate.among`: the rule that says who is evaluable."""

    rule: str


class StoppingBoundary(Shape):
    """`rate.boundary`: the method and its numbers, each also as a parameter `":name"`."""

    method: Annotated[Method, Loose]
    p0: float | str | None = None
    p1: float | str | None = None
    alpha: float | str | None = None
    n_max: int | str | None = None
    prior: list[float] | None = Field(default=None, min_length=2, max_length=2)
    cutoff: float | str | None = None
    at_least: int | str | None = None
    above: float | str | None = None
    min_subjects: int | str | None = None


class Rate(Shape):
    """`[rate]`: a rule about a study, site or arm."""

    over: Annotated[Over, Loose]
    among: Among | None = None
    boundary: StoppingBoundary


class WorkedExample(Shape):
    """`[[example]]`."""

    name: str
    data: str
    fires: list[str]
    cannot_tell: list[str] = []
    clears: list[str] = []
    params: dict[str, float] = {}
    terms: dict[str, list[str]] = {}
    as_of: date | None = Field(default=None, strict=False)
    same_day: str = Field(default="cannot tell", pattern="^(before|after|cannot tell)$")


class RuleFile(Shape):
    """A whole rule file."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")
    title: str = Field(min_length=1)
    severity: Annotated[Severity, Loose]
    action: str = ""
    basis: list[str] = []
    tags: list[str] = []
    family: str = ""
    per: Annotated[Per | None, Loose] = None
    find: Find
    with_: list[With] = Field(default=[], alias="with")
    without: list[Without] = []
    any: list[AnyGroup] = []
    level: list[Level] = []
    clear: Clear | None = None
    rate: Rate | None = None
    due: Due | None = None
    example: list[WorkedExample] = []


class ParamFile(Shape):
    """One parameter of `params.toml`."""

    value: float
    unit: str = ""
    source: str = Field(alias="from", pattern="^(protocol|label|guideline|default)$")


AnyShape = TypeVar("AnyShape", bound=Shape)


def text_of(path: Path, address: str, problems: list[Problem]) -> str | None:
    """The text of a file, or None after the problem was added."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        said = f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"
    except OSError as error:
        said = f"can't be read ({error.strerror}); check its permissions"
    problems.append(Problem(address, said))
    return None


def read_toml(text: str | None, address: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The tables of a TOML file, or None after the problem was added; no text has none."""
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(address, f"this is not TOML: {error}"))
        return None


def shaped(
    shape: type[AnyShape], data: dict[str, Any], address: str, problems: list[Problem]
) -> AnyShape | None:
    """The data as `shape`, or None after all its problems were added."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        problems.extend(_problem(shape, address, found) for found in error.errors())
        return None


def _problem(shape: type[Shape], address: str, error: Any) -> Problem:
    where = _path(error["loc"])
    if error["type"] == "extra_forbidden":
        hint = suggest(str(error["loc"][-1]), _keys(shape, error["loc"][:-1]))
        return Problem(f"{address}: {where}", f"this key is not known here{hint}")
    if error["type"] == "missing":
        return Problem(f"{address}: {where}", "this key is required")
    given = f" (given: {error['input']!r})" if isinstance(error["input"], str | int | float) else ""
    return Problem(f"{address}: {where}", f"{error['msg']}{given}")


def _path(steps: Iterable[str | int]) -> str:
    """`with`, 0, `where` → with[1].where: tables of a list are counted from 1."""
    written = ""
    for step in steps:
        written += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return written.removeprefix(".")


def _keys(shape: type[Shape], steps: Iterable[str | int]) -> list[str]:
    """The keys that the table at the end of `steps` knows."""
    for step in steps:
        if isinstance(step, str):
            shape = _inner(shape, step)
    return [field.alias or name for name, field in shape.model_fields.items()]


def _inner(shape: type[Shape], key: str) -> type[Shape]:
    """The shape of the table, or of the tables, under a key."""
    field = next(field for name, field in shape.model_fields.items() if key in (name, field.alias))
    return next(found for found in _types(field.annotation) if issubclass(found, Shape))


def _types(annotation: Any) -> Iterator[type]:
    """The classes that an annotation is made of."""
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for each in inner:
        yield from _types(each)
