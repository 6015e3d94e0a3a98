"""config.toml and the environment, read into `Settings`; all errors at once.

Environment variables override the file: MONITOR_<SECTION>__<KEY>, such as
MONITOR_MAIL__PASSWORD or MONITOR_MONITOR__DATABASE. Relative paths are relative to config.toml.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from monitor.config.checks import contradictions
from monitor.config.maps import MapSettings, WideSettings
from monitor.config.models import (
    BaselineSettings,
    DrugSettings,
    LimitSettings,
    MailSettings,
    MonitorSettings,
    ReadSettings,
    RouteSettings,
    Settings,
    StudySettings,
)
from monitor.errors import ConfigError, Problem

PREFIX = "MONITOR_"
OTHER_VARIABLES = ("MONITOR_CONFIG", "MONITOR_TEST_")  # not settings
LONGEST = 80  # characters of what was given
WORDS = {  # of pydantic's errors that speak of Python
    "string_type": "write it in quotation marks",
    "tuple_type": 'write a list, such as ["one", "two"]',
    "model_type": "write a table: its name in brackets on a line of its own, then its settings",
    "dict_type": "write a table: its name in brackets on a line of its own, then its settings",
    "too_short": "write at least one",
    "finite_number": "write a finite number",
}
SECTIONS: dict[str, type[BaseModel]] = {"monitor": MonitorSettings, "mail": MailSettings}


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The configuration in `path` and the environment. Raises ConfigError with all problems."""
    environment = os.environ if environment is None else environment
    name = path.name
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors write a byte order mark
    except FileNotFoundError:
        _refuse(str(path), "there is no such file; `monitor init` writes one")
    except OSError as error:
        _refuse(str(path), f"can't be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        _refuse(name, f"not readable as TOML: {error}")
    problems = [*_secrets(written, name), *_source_secrets(written, name)]
    merged, unknown = _overlay(written, environment)
    problems += unknown
    try:
        settings = Settings.model_validate({**merged, "base": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError([*problems, *_addressed(error, name)]) from None
    problems += contradictions(settings, name)
    if problems:
        raise ConfigError(problems)
    return settings


def _refuse(address: str, said: str) -> NoReturn:
    raise ConfigError([Problem(address, said)]) from None


def _overlay(written: dict[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """The file's values with the environment's on top, and the variables that mean nothing."""
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in written.items()}
    problems = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable.startswith(OTHER_VARIABLES):
            continue
        section, _, key = variable.removeprefix(PREFIX).lower().partition("__")
        if section in SECTIONS and key in SECTIONS[section].model_fields:
            if isinstance(merged.setdefault(section, {}), dict):  # else it is refused below, as it stands
                merged[section][key] = environment[variable]
        else:
            problems.append(
                Problem(variable, "this environment variable is no setting of [monitor] or [mail]")
            )
    return merged, problems


def _secrets(written: Mapping[str, Any], name: str) -> Iterable[Problem]:
    """Secrets that stand in clear in the file."""
    if "password" in _section(written, "mail"):
        yield Problem(
            f"{name}: mail.password",
            "a password does not belong in this file; set MONITOR_MAIL__PASSWORD or password_file",
        )
    for key in ("database", "database_owner"):
        try:
            secret = make_url(str(_section(written, "monitor").get(key, "sqlite://"))).password
        except ArgumentError:
            continue
        if secret:
            yield Problem(
                f"{name}: monitor.{key}",
                f"the URL holds a password in clear; set MONITOR_MONITOR__{key.upper()} or use a pgpass file",
            )


def _source_secrets(written: Mapping[str, Any], name: str) -> Iterable[Problem]:
    """Passwords in the address of a study's database."""
    studies = written.get("study")
    for number, study in enumerate(studies if isinstance(studies, list) else []):
        source = str(study.get("source", "")) if isinstance(study, Mapping) else ""
        try:
            secret = "://" in source and make_url(source).password
        except ArgumentError:
            continue
        if secret:
            yield Problem(
                f"{name}: study[{number}].source",
                "the URL holds a password in clear; use a pgpass file, or password_file",
            )


def _section(written: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """A table of the file; empty when it is absent or no table, which the types refuse."""
    found = written.get(section)
    return found if isinstance(found, Mapping) else {}


def _addressed(error: ValidationError, name: str) -> list[Problem]:
    """Pydantic's errors with the key path, what was given and what to write."""
    found = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and detail["input"]:
            continue  # its items were refused, each with its own error
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
        found.append(Problem(f"{name}: {path.lstrip('.')}", _said(detail)))
    return found


def _said(detail: Mapping[str, Any]) -> str:
    """One pydantic error in words."""
    if detail["type"] == "missing":
        return "is required and has no default"
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(str(detail["loc"][-1]), _every_key(), n=1)
        return "is not a setting" + (f"; did you mean {near[0]}?" if near else "")
    if detail["loc"] in {("study",), ("route",)}:
        return f"write [[{detail['loc'][0]}]] with two brackets, once for each {detail['loc'][0]}"
    if detail["type"] in WORDS:
        return f"{WORDS[detail['type']]}; given {_short(detail['input'])}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "value_error" or "password" in detail["loc"] or "database" in detail["loc"]:
        return message  # said already, or perhaps a secret
    return f"{message}; given {_short(detail['input'])}"


def _short(given: object) -> str:
    """What was given, cut to a length that a person reads."""
    text = repr(given)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _every_key() -> list[str]:
    models = (
        MonitorSettings,
        MailSettings,
        StudySettings,
        RouteSettings,
        DrugSettings,
        BaselineSettings,
        ReadSettings,
        LimitSettings,
        MapSettings,
        WideSettings,
    )
    return sorted({*SECTIONS, "study", "route", *(key for model in models for key in model.model_fields)})
