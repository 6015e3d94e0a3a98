"""`find.rule` and `[rate]` of a rule file → the tree: records that other rules found, rules about a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.clinical.domains import DOMAINS
from monitor.errors import Problem, RuleError
from monitor.records import Cause, Episode, Kind, Severity, Truth
from monitor.rules import causes as because
from monitor.rules import shape
from monitor.rules.context import Context
from monitor.rules.desk import Desk
from monitor.rules.rate import Rate, number
from monitor.rules.rule import Column, InWords, Param, Per, Rule, Series
from monitor.rules.scope import suggest
from monitor.rules.terms import Row
from monitor.statistics.boundaries import problems
from monitor.statistics.designs import Design

Found = Mapping[str, tuple[str, ...]]

# Whoever got a dose: the denominator of a rate that names no other.
TREATED = Rule(
    id="a dose was given",
    pack="",
    title="",
    severity=Severity.NONE,
    action="",
    series=Series("DOSE"),
    where=InWords(Column("GIVEN", Kind.TEXT), ("Y",)),
    per=Per.SUBJECT,
)


def domains_found(files: Mapping[str, shape.Find]) -> Found:
    """For each rule the domains of the records that it finds, also through other rules."""

    def found(name: str, above: tuple[str, ...]) -> tuple[str, ...]:
        if name not in files or name in above:  # unknown, or a circle: refused elsewhere
            return ()
        find = files[name]
        if not find.rules:
            return (find.domain,) if find.domain else ()
        parts = [domain for other in find.rules for domain in found(other, (*above, name))]
        return tuple(dict.fromkeys(parts))

    return {name: found(name, ()) for name in files}


def read_found(desk: Desk, file: shape.RuleFile) -> Series:
    """The series of `[find]`; of `find.rule` in the domain of those rules."""
    find = file.find
    if not find.rules:
        if find.domain is None:
            desk.refuse("find.in", "this key is required: a domain, or `rule` in its place")
            return Series("")
        return desk.series(find, "find")
    if find.domain is not None:
        desk.refuse("find.in", "`rule` stands in place of a domain: write one of both")
    unknown = [name for name in find.rules if name not in desk.found]
    for name in unknown:
        desk.refuse("find.rule", f"{name} is not a rule of these packs{suggest(name, desk.found)}")
    domains = tuple(dict.fromkeys(domain for name in find.rules for domain in desk.found.get(name, ())))
    _refuse_beside(desk, file, domains)
    if unknown or not domains or domains[0] not in DOMAINS:
        return Series("")
    return desk.series(find.model_copy(update={"domain": domains[0]}), "find")


def _refuse_beside(desk: Desk, file: shape.RuleFile, domains: Sequence[str]) -> None:
    """What has no meaning beside `find.rule`."""
    if file.clear is not None:
        desk.refuse("clear", "what `find.rule` finds are findings: each is one of its own, and none is ended")
    if file.per is Per.EPISODE:
        desk.refuse("per", "what `find.rule` finds are findings: one for each record, or one per subject")
    if file.find.repeat is not None:
        desk.refuse("find.repeat", "what `find.rule` finds are findings: ask for runs in the rules that find")
    asked = file.find.model_fields_set - {"rule"}
    if len(domains) > 1 and (file.rate is None or asked or _asks_more(file)):
        said = f"these rules find records of {', '.join(domains)}: one domain, or only counted by [rate]"
        desk.refuse("find.rule", said)


def _asks_more(file: shape.RuleFile) -> bool:
    return bool(file.with_ or file.without or file.any or file.level)


def read_rate(desk: Desk, file: shape.RuleFile) -> Rate | None:
    """`[rate]`, or None when the rule is about subjects; every contradiction is added."""
    table = file.rate
    if table is None:
        return None
    for key in ("per", "clear", "level"):
        if getattr(file, key):
            desk.refuse(key, f"a rule about a {table.over} has no `{key}`: it counts each subject once")
    given = table.boundary.model_dump()
    named = {name: value for name, value in given.items() if isinstance(value, str) and name != "method"}
    known = [name for name, value in named.items() if _is_number(desk, f"rate.boundary.{name}", value)]
    given |= {name: number(name, desk.params[named[name][1:]].value) for name in known}
    if len(known) == len(named):
        for name, said in problems(_design(given)):
            desk.refuse(f"rate.boundary.{name}", said)
    params = tuple((name, Param(named[name][1:])) for name in known)
    among = table.among.rule if table.among else ""
    if among and among not in desk.found:
        desk.refuse("rate.among.rule", f"{among} is not a rule of these packs{suggest(among, desk.found)}")
    return Rate(table.over, _design(given), among, params)


def _is_number(desk: Desk, where: str, text: str) -> bool:
    """Whether a text names a parameter that is a plain number; the problem is added if not."""
    if not text.startswith(":"):
        desk.refuse(where, f'{text!r} is no number: write it without quotes, or a parameter as ":name"')
    elif text[1:] not in desk.params:
        desk.refuse(where, f"{text[1:]} is not a parameter{suggest(text[1:], desk.params)}")
    elif desk.params[text[1:]].unit:
        desk.refuse(where, f"{text[1:]} has a unit, and a boundary's numbers have none")
    else:
        return True
    return False


def _design(given: Mapping[str, Any]) -> Design:
    """The design of a table; of numbers that could not be read, without them."""
    known: dict[str, Any] = {
        name: value for name, value in given.items() if name == "method" or not isinstance(value, str)
    }
    if known["prior"] is not None:
        known["prior"] = tuple(known["prior"])
    return Design(**known)


def rate_in(rule: Rule, context: Context) -> Rate:
    """What a rule about a study counts, with the study's numbers. Raises RuleError when they can't be."""
    assert rule.rate is not None, "only a rule about a study counts"
    rate = rule.rate.in_study(context.params)
    wrong = [Problem(f"{rule.id}: rate.boundary.{name}", said) for name, said in problems(rate.boundary)]
    if wrong:
        raise RuleError(wrong)
    return rate


def about_studies(rules: Iterable[Rule]) -> list[Problem]:
    """References to rules about a study: those have no episodes of subjects to refer to."""
    known = list(rules)
    studies = {rule.id for rule in known if rule.rate is not None}
    return [
        Problem(
            f"rules/{rule.pack}/{rule.id}.toml: {reference(rule, name)}",
            f"{name} is about a study, site or arm: it finds nothing of a subject",
        )
        for rule in known
        for name in rule.refers_to
        if name in studies
    ]


def reference(rule: Rule, name: str) -> str:
    """The key in which a rule refers to another one."""
    if name in rule.finds:
        return "find.rule"
    return "rate.among.rule" if rule.rate is not None and name == rule.rate.among else "with.rule"


# ---------------------------------------------------------------- meaning


def counts_findings(rule: Rule) -> bool:
    """Whether a rule takes other rules' findings as they are, and asks nothing more of them."""
    alone = replace(rule.series, domain="") == Series("")
    return bool(rule.finds) and alone and rule.where is None and not rule.clauses and not rule.levels


def found_by(rule: Rule, row: Row, episodes: Mapping[str, Sequence[Episode]]) -> Truth:
    """Whether a record opened an episode of the rules in `find.rule`; true for a rule without.

    `episodes` are the subject's, by rule.
    """
    if not rule.finds:
        return Truth.TRUE
    opened = (episode for name in rule.finds for episode in episodes.get(name, ()))
    return max((episode.truth for episode in opened if _opens(row, episode)), default=Truth.FALSE)


def unsure(rule: Rule, row: Row, episodes: Mapping[str, Sequence[Episode]]) -> tuple[Cause, ...]:
    """The rules of `find.rule` that can't tell a record."""
    return tuple(
        Cause(because.EPISODE, "", name)
        for name in rule.finds
        if any(each.truth is Truth.UNKNOWN and _opens(row, each) for each in episodes.get(name, ()))
    )


def _opens(row: Row, episode: Episode) -> bool:
    return bool(episode.verdicts) and episode.verdicts[0].row == row["ROWN"]


def events_of(
    rule: Rule, episodes: Mapping[str, Sequence[Episode]], own: Callable[[Rule], Sequence[Episode]]
) -> tuple[Episode, ...]:
    """The episodes that a rule about a study counts; `own` finds those of records that it asks for itself."""
    if counts_findings(rule):
        return tuple(episode for name in rule.finds for episode in episodes[name])
    return tuple(own(rule))


def entries_of(
    rule: Rule, episodes: Mapping[str, Sequence[Episode]], own: Callable[[Rule], Sequence[Episode]]
) -> tuple[Episode, ...]:
    """The episodes by which subjects become evaluable."""
    assert rule.rate is not None, "only a rule about a study has a denominator"
    return tuple(episodes[rule.rate.among] if rule.rate.among else own(TREATED))
