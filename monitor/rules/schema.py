"""The JSON schema of a rule file: an editor completes keys with it and marks wrong ones."""

from __future__ import annotations

from typing import Any

from monitor.clinical.domains import DOMAINS
from monitor.rules.shape import RuleFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def rule_schema() -> dict[str, Any]:
    """The schema of rules/<pack>/<id>.toml (JSON Schema 2020-12), with the domains that `in` may name."""
    schema = RuleFile.model_json_schema(by_alias=True)
    for shape in schema["$defs"].values():
        if "in" in shape.get("properties", {}):
            _name_domains(shape["properties"]["in"])
    return {"$schema": DIALECT, "title": "A rule of the safety monitor", **_without_title(schema)}


def _name_domains(key: dict[str, Any]) -> None:
    """Where a text is expected, the names of the domains."""
    texts = [part for part in (key, *key.get("anyOf", ())) if part.get("type") == "string"]
    for part in texts:
        part["enum"] = list(DOMAINS)


def _without_title(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}
