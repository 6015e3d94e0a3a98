"""A folder of rule files → a pack of rules in the order in which they refer to each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor.clinical.domains import GRADES
from monitor.errors import Problem, RuleError
from monitor.rules.build import build_rule
from monitor.rules.context import Parameter
from monitor.rules.ctcae import FILES as VERSIONS
from monitor.rules.ctcae import Criteria, columns_in, load_criteria
from monitor.rules.desk import Desk
from monitor.rules.findrule import about_studies, domains_found, reference
from monitor.rules.invalid import Invalid, read_invalid
from monitor.rules.lists import add_terms, read_lists
from monitor.rules.params import Order, ParamSet, contradictions, read_params, resolve
from monitor.rules.rule import AnyOf, Clause, OfRule, Plain, Rule
from monitor.rules.scope import suggest
from monitor.rules.shape import RuleFile, read_toml, shaped, text_of

PARAMS = "params.toml"


@dataclass(frozen=True)
class Pack:
    """Rules with what they name: parameters, word lists, presets; valid as a whole.

    `rules` are in an order in which each stands behind those that it refers to.
    """

    rules: tuple[Rule, ...]
    params: Mapping[str, Parameter]
    lists: Mapping[str, frozenset[str]]
    presets: Mapping[str, ParamSet] = field(default_factory=dict)
    known: ParamSet = field(default_factory=ParamSet)
    # CTCAE's criteria by version, when a rule asks for grades
    criteria: Mapping[str, Criteria] = field(default_factory=dict)
    # which results are no values (rules/series)
    invalid: tuple[Invalid, ...] = ()
    # the names of the parameters that each pack's own file gives
    own: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def rule(self, identifier: str) -> Rule:
        """One rule by its id. Raises RuleError when there is none."""
        for rule in self.rules:
            if rule.id == identifier:
                return rule
        hint = suggest(identifier, [rule.id for rule in self.rules])
        raise RuleError([Problem(identifier, f"there is no rule of this id{hint}")])


def load_rules(folder: Path, packs: Sequence[str]) -> Pack:
    """All rules of the packs, `folder`/<pack>/<id>.toml. Raises RuleError with every problem of all files."""
    problems: list[Problem] = []
    lists = read_lists(folder / "lists", problems)
    sets = [_pack_params(folder, pack, problems) for pack in packs]
    known = _joined(sets, problems)
    read = [each for pack in packs for each in _read_pack(folder, pack, known.params, lists)]
    found = domains_found({file.id: file.find for _, file in read if file is not None})
    rules = [rule for desk, file in read for rule in _built(replace(desk, found=found), file, problems)]
    ordered = _in_order(rules, problems)
    presets = _presets(folder, packs, known, problems)
    criteria = _criteria(folder, ordered, problems)
    invalid = read_invalid(folder, problems)
    if problems:
        raise RuleError(problems)
    own = {pack: frozenset(given.params) for pack, given in zip(packs, sets, strict=True)}
    return Pack(ordered, known.params, lists, presets, known, criteria, invalid, own)


def asks_grades(rule: Rule) -> bool:
    """Whether a rule names a CTCAE grade."""
    return any(column.name in GRADES for column in columns_in(rule))


def _criteria(folder: Path, rules: Iterable[Rule], problems: list[Problem]) -> dict[str, Criteria]:
    """The criteria of all versions, when a rule asks for grades."""
    found: dict[str, Criteria] = {}
    for version in VERSIONS if any(map(asks_grades, rules)) else ():
        try:
            found[version] = load_criteria(folder, version)
        except RuleError as error:
            problems.extend(error.problems)
    return found


def resolve_params(
    pack: Pack, study: Mapping[str, float], confirmed: Collection[str] = (), preset: str | None = None
) -> Mapping[str, Parameter]:
    """The parameters of one study: pack, preset, `[study.params]`. Raises RuleError for unknown names."""
    if preset is not None and preset not in pack.presets:
        raise RuleError(
            [Problem("study.preset", f"there is no preset {preset}{suggest(preset, pack.presets)}")]
        )
    return resolve(pack.known, pack.presets[preset] if preset else None, study, confirmed)


def words_for(pack: Pack, study_terms: Mapping[str, Iterable[str]]) -> Mapping[str, frozenset[str]]:
    """The pack's lists with the study's own words. Raises RuleError for a list that is not there."""
    return add_terms(pack.lists, study_terms)


def _pack_params(folder: Path, pack: str, problems: list[Problem]) -> ParamSet:
    address = f"rules/{pack}/{PARAMS}"
    found = read_params(folder / pack / PARAMS, address, problems)
    problems.extend(contradictions(found.params, found.orders, address))
    return found


def _joined(sets: Iterable[ParamSet], problems: list[Problem]) -> ParamSet:
    """The parameters of all packs; a name stands in one of them."""
    params: dict[str, Parameter] = {}
    orders: list[Order] = []
    for found in sets:
        twice = params.keys() & found.params.keys()
        problems.extend(
            Problem(f"rules: {name}", "this parameter stands in two packs") for name in sorted(twice)
        )
        params |= found.params
        orders += found.orders
    return ParamSet(params, tuple(orders))


def _presets(
    folder: Path, packs: Sequence[str], known: ParamSet, problems: list[Problem]
) -> dict[str, ParamSet]:
    """The presets of the packs: each replaces some of the parameters."""
    presets: dict[str, ParamSet] = {}
    for pack in packs:
        for path in sorted((folder / pack / "presets").glob("*.toml")):
            address = f"rules/{pack}/presets/{path.name}"
            found = read_params(path, address, problems)
            for name in found.params:
                if name not in known.params:
                    problems.append(
                        Problem(f"{address}: {name}", f"not a parameter{suggest(name, known.params)}")
                    )
            problems.extend(contradictions({**known.params, **found.params}, known.orders, address))
            presets[path.stem] = found
    return presets


def _read_pack(
    folder: Path, pack: str, params: Mapping[str, Parameter], lists: Mapping[str, frozenset[str]]
) -> Iterator[tuple[Desk, RuleFile | None]]:
    """The files of a pack, each with the desk that holds what is wrong in it."""
    if not (folder / pack).is_dir():
        here = sorted(path.name for path in folder.glob("*") if path.is_dir())
        missing = Problem(f"rules/{pack}", f"there is no such pack{suggest(pack, here)}")
        yield Desk(pack, f"rules/{pack}", params, lists, [missing]), None
    for path in sorted((folder / pack).glob("*.toml")):
        if path.name != PARAMS:
            desk = Desk(pack, f"rules/{pack}/{path.name}", params, lists)
            yield desk, _read_file(path, desk)


def _read_file(path: Path, desk: Desk) -> RuleFile | None:
    """The shape of one file, or None after its problems were added."""
    data = read_toml(text_of(path, desk.address, desk.problems), desk.address, desk.problems)
    file = shaped(RuleFile, data, desk.address, desk.problems) if data is not None else None
    if file is not None and file.id != path.stem:
        desk.refuse("id", f"{file.id} stands in a file of another name")
    return file


def _built(desk: Desk, file: RuleFile | None, problems: list[Problem]) -> list[Rule]:
    """The rule of one file, or none after its problems were added."""
    rule = None if file is None else build_rule(desk, file)
    problems.extend(desk.problems)
    return [rule] if rule else []


def with_domains(rule: Rule, known: Mapping[str, Rule]) -> Rule:
    """The rule, its clauses about other rules' episodes in a window with the domains of those rules."""

    def named(clause: Clause) -> Clause:
        if isinstance(clause, AnyOf):
            return replace(clause, items=tuple(_with_domain(item, known) for item in clause.items))
        return _with_domain(clause, known)

    return replace(
        rule,
        clauses=tuple(named(clause) for clause in rule.clauses),
        levels=tuple(
            replace(level, clauses=tuple(named(clause) for clause in level.clauses)) for level in rule.levels
        ),
    )


def _with_domain(clause: Plain, known: Mapping[str, Rule]) -> Plain:
    if not isinstance(clause, OfRule) or clause.window is None or clause.rule not in known:
        return clause
    return replace(clause, domain=known[clause.rule].series.domain)


def _in_order(rules: list[Rule], problems: list[Problem]) -> tuple[Rule, ...]:
    """Each rule behind those that it refers to; refuses double ids, unknown rules and circles."""
    known: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in known:
            where = f"rules/{rule.pack}/{rule.id}.toml: id"
            problems.append(Problem(where, f"the id stands in rules/{known[rule.id].pack} too"))
        known[rule.id] = rule
    for rule in rules:
        for name in rule.refers_to:
            if name not in known:
                where = f"rules/{rule.pack}/{rule.id}.toml: {reference(rule, name)}"
                problems.append(Problem(where, f"{name} is not a rule of these packs{suggest(name, known)}"))
    problems.extend(about_studies(rules))
    done: dict[str, Rule] = {}
    waiting = list(known.values())
    while waiting:
        ready = [
            rule for rule in waiting if all(name in done or name not in known for name in rule.refers_to)
        ]
        if not ready:
            circle = ", ".join(rule.id for rule in waiting)
            problems.append(
                Problem("rules: with.rule", f"these rules refer to each other in a circle: {circle}")
            )
            break
        done |= {rule.id: rule for rule in ready}
        waiting = [rule for rule in waiting if rule.id not in done]
    return tuple(with_domains(rule, known) for rule in done.values())
