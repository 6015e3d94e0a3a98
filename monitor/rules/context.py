"""Under what a rule is judged in one study: parameters, lists, cut-off, how far the data reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.rules.ctcae import Criteria


PER_KG = "/kg"


@dataclass(frozen=True)
class Parameter:
    """A number of a protocol, with its provenance (`source`: protocol, label, guideline, default).

    `confirmed` says that the study's configuration sets or confirms it.
    """

    name: str
    value: float
    unit: str
    source: str
    confirmed: bool = False

    @property
    def per_kg(self) -> bool:
        """Whether it is a dose per kg of body weight."""
        return self.unit.endswith(PER_KG)

    @property
    def measure(self) -> str:
        """Its unit; of a dose per kg that of the dose: the rule gives the weight itself."""
        return self.unit.removesuffix(PER_KG)


@dataclass(frozen=True)
class Context:
    """What the engines need beside the rule and the data.

    `lists` maps a list's name to its words, casefolded and stripped; a word of a `matches` list
    that begins with "!" is a negation. `ignored` are words of [study.terms] ignore.
    `as_of` is the cut-off, in days. `through` maps (domain, site) to the last day that the data
    are known to reach, with (domain, "") for sites that are not named; a domain without an
    entry was not received. `columns` maps a domain to the columns received or derived.
    `same_day` is "before", "after" or "cannot tell". `criteria` are those of the CTCAE version,
    when a rule asks for grades.
    """

    as_of: int
    params: Mapping[str, Parameter] = field(default_factory=dict)
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    through: Mapping[tuple[str, str], int] = field(default_factory=dict)
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    same_day: str = "cannot tell"
    ctcae: str = "5.0"
    criteria: Criteria | None = None

    def reach(self, domain: str, site: str) -> int | None:
        """The last day that the data of a domain and site are known to reach; None: not received."""
        return self.through.get((domain, site), self.through.get((domain, "")))
