"""The mails' templates: checked as a whole when loaded, rendered in a sandbox, never fatal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from monitor.delivery.table import aligned
from monitor.errors import ConfigError, Problem

KINDS = ("alert", "summary")
PARTS = ("subject.txt", "txt", "html")
# What a template may name. `a` is the first (in an alert mail the only) view, `views` all of them.
FIELDS = frozenset({"a", "views", "counts", "letter", "unconfirmed"})
# What a template may go wrong with, beyond jinja's own errors: a wrong type, a division, a number too big.
RENDER_ERRORS = (
    TemplateError,
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)


@dataclass(frozen=True)
class Rendered:
    """Subject, plain text and page of one mail."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Templates:
    """The loaded, checked templates of all mails."""

    folder: Path
    environment: ImmutableSandboxedEnvironment

    def render(self, kind: str, fields: Mapping[str, Any]) -> Rendered:
        """The mail of this kind. Raises one of RENDER_ERRORS when a template breaks."""
        parts = (self.environment.get_template(f"{kind}.{part}").render(**fields) for part in PARTS)
        subject, text, html = parts
        return Rendered(subject.strip(), text.strip() + "\n", html)


def load_templates(folder: Path, samples: Iterable[tuple[str, Mapping[str, Any]]]) -> Templates:
    """The templates of `folder`, each tried on the samples (kind, fields).

    Raises ConfigError with all problems: a missing file, a syntax error, a field that does not
    exist, an error while rendering; each with file and line.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["aligned"] = aligned
    templates = Templates(folder, environment)
    problems = [
        problem
        for kind in KINDS
        for part in PARTS
        for problem in _check(environment, folder, f"{kind}.{part}")
    ]
    if not problems:
        problems = [found for kind, fields in samples for found in _try(templates, kind, fields)]
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return templates


def _check(environment: ImmutableSandboxedEnvironment, folder: Path, name: str) -> Iterable[Problem]:
    """What can be seen without rendering: the file, its syntax, the names that it uses."""
    try:
        tree = environment.parse((folder / name).read_text(encoding="utf-8"), name)
        unknown = meta.find_undeclared_variables(tree) - FIELDS
    except TemplateSyntaxError as error:
        yield Problem(f"{folder / name}:{error.lineno}", error.message or "is not a template")
        return
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(str(folder / name), f"can't be read: {error}")
        return
    for node in tree.find_all(nodes.Name):
        if node.name in unknown and node.ctx == "load":
            known = ", ".join(sorted(FIELDS))
            yield Problem(f"{folder / name}:{node.lineno}", f"{node.name!r} is no field; there are {known}")


def _try(templates: Templates, kind: str, fields: Mapping[str, Any]) -> Iterable[Problem]:
    """What shows only when rendering: a field's part that does not exist, a filter's error."""
    for part in PARTS:
        name = f"{kind}.{part}"
        try:
            templates.environment.get_template(name).render(**fields)
        except RENDER_ERRORS as error:
            yield broken(templates.folder, error, name)


def broken(folder: Path, error: BaseException, name: str = "") -> Problem:
    """A template's error with file and line, as far as the traceback tells; never with its data."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(folder)):
            name, line = Path(trace.tb_frame.f_code.co_filename).name, trace.tb_lineno
        trace = trace.tb_next
    said = str(error) if isinstance(error, TemplateError) else type(error).__name__
    return Problem(
        f"{folder / name}:{line}" if line else str(folder / name), f"breaks while rendering: {said}"
    )
