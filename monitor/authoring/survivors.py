"""Which mutants of a rule no example notices, and whether they are other rules at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from monitor.authoring.bench import Bench, Case, benches, cases_of
from monitor.authoring.examples import day_words, difference
from monitor.authoring.generated import BASE, draw, pool_of
from monitor.authoring.mutants import Mutant, mutants
from monitor.authoring.studies import on_reference
from monitor.errors import RuleError
from monitor.records import Episode, Truth
from monitor.rules.case import start_of
from monitor.rules.context import Context
from monitor.rules.findrule import rate_in
from monitor.rules.fold import fold
from monitor.rules.reference import judge
from monitor.rules.rule import Rule
from monitor.rules.rulefile import Pack
from monitor.rules.terms import Row
from monitor.statistics.boundaries import boundary
from monitor.statistics.designs import MOST_SUBJECTS

CASES = 20_000  # generated records on which a mutant must agree to count as the same rule
SEED = 1
REACH = 60  # to how many days behind the generated ones the data reach; drawn below as well

Step = Callable[[str], None]


@dataclass(frozen=True)
class Survivor:
    """A mutant that no example notices. `differs` is what tells it from the rule; "" if nothing does."""

    mutant: str
    differs: str

    @property
    def equivalent(self) -> bool:
        """Whether it agreed with the rule on every generated case."""
        return not self.differs


@dataclass(frozen=True)
class Mutation:
    """What the examples of a rule notice."""

    rule: str
    mutants: int
    killed: int
    survivors: tuple[Survivor, ...]

    @property
    def missed(self) -> tuple[Survivor, ...]:
        """Other rules that the examples take for this one."""
        return tuple(each for each in self.survivors if not each.equivalent)

    @property
    def equivalent(self) -> tuple[Survivor, ...]:
        """The same rule, written otherwise."""
        return tuple(each for each in self.survivors if each.equivalent)


def mutate(pack: Pack, rule: Rule, work: Path, cases: int = CASES, step: Step = lambda _: None) -> Mutation:
    """Every mutant of a rule against its examples; the survivors against generated records.

    `work` is a folder for derived tables; `step` hears how far it is.
    """
    found = list(mutants(rule, pack.params))
    alive = dict.fromkeys(range(len(found)))
    context: Context | None = None
    for bench, _ in benches(pack, cases_of(pack, (rule.id,)), work):
        context = context or bench.context
        before = on_reference(bench, {}, [each for each in bench.rules if each.id != rule.id])
        for number in list(alive):
            if _noticed(bench, before, found[number]):
                del alive[number]
        step(f"{rule.id}: {len(found) - len(alive)} of {len(found)} mutants noticed")
    assert context is not None, "a rule without examples does not load"
    left = [found[number] for number in alive]
    told = _told(pack, rule, left, context, cases, step)
    survivors = tuple(Survivor(str(each), said) for each, said in zip(left, told, strict=True))
    return Mutation(rule.id, len(found), len(found) - len(alive), survivors)


def _told(
    pack: Pack, rule: Rule, left: Sequence[Mutant], context: Context, cases: int, step: Step
) -> list[str]:
    """On which case each mutant says something else; what a study counts only its examples can tell."""
    told = [_of_study(rule, mutant, context) for mutant in left]
    single = [place for place, said in enumerate(told) if said is None]
    differs = _differs(pack, rule, [left[place] for place in single], context, cases, step)
    return [differs[single.index(place)] if said is None else said for place, said in enumerate(told)]


def _of_study(rule: Rule, mutant: Mutant, context: Context) -> str | None:
    """What tells the mutant of a rule about a study; None when records of single subjects can."""
    if rule.rate is None or mutant.rule.rate is None:
        return None
    if not mutant.params and mutant.rule.rate == rule.rate:
        return None
    if _stops(rule, context) == _stops(mutant.rule, _with_params(context, mutant)):
        return ""
    return "generated records are of single subjects: write an example at this count"


def _stops(rule: Rule, context: Context) -> tuple[object, ...]:
    """What decides when a rule about a study fires: over what, among whom, the counts."""
    rate = rate_in(rule, context)
    made = boundary(rate.boundary)
    return rate.over, rate.among, tuple(made.stop_at(n) for n in range(1, MOST_SUBJECTS + 1))


def _noticed(bench: Bench, before: Mapping[str, Sequence[Episode]], mutant: Mutant) -> bool:
    """Whether an example comes out otherwise; a study's own number hides a change of the pack's."""
    set_there = {name for name, _ in bench.cases[0].example.params}
    if set_there & {name for name, _ in mutant.params}:
        return False
    changed = replace(bench, context=_with_params(bench.context, mutant))
    others = [each for each in changed.rules if each.id != mutant.rule.id]
    try:
        known = on_reference(changed, {}, others) if mutant.params else before
        episodes = on_reference(changed, known, [mutant.rule])[mutant.rule.id]
    except RuleError:  # a number that a boundary can't have: the rule would not load
        return True
    return any(difference(Case(mutant.rule, each.example, each.prefix), episodes) for each in bench.cases)


def _with_params(context: Context, mutant: Mutant) -> Context:
    """The context with the mutant's parameters."""
    params = {name: replace(context.params[name], value=value) for name, value in mutant.params}
    return replace(context, params={**context.params, **params})


# ---------------------------------------------------------------- generated records


SAME_DAY = ("before", "after", "cannot tell")
Records = Mapping[str, Sequence[Row]]


def _differs(
    pack: Pack, rule: Rule, left: Sequence[Mutant], context: Context, cases: int, step: Step
) -> list[str]:
    """A small generated case on which each mutant says something else; "" when there is none.

    Every case is drawn, and judged by the rule and those that it refers to, once for all mutants.
    """
    told = dict.fromkeys(range(len(left)), "")
    open_ones = list(told)
    wanted = _closure(pack, rule)
    closure = [each for each in pack.rules if each.id in wanted]
    pool = pool_of((*closure, *(mutant.rule for mutant in left)), context)
    random = Random(SEED)  # noqa: S311 - made-up records, nothing secret
    for number in range(cases if left else 0):
        if number % 1_000 == 0:
            step(f"{rule.id}: {len(open_ones)} survivors: generated case {number:,} of {cases:,}")
        rows = draw(pool, random)
        last = BASE + random.choice((REACH, REACH, 1, 10, 400))
        reach = {(domain, ""): last for domain in rows if random.random() < 0.98}
        given = replace(context, as_of=last, through=reach, same_day=random.choice(SAME_DAY))
        referred = _episodes([each for each in closure if each.id != rule.id], given, rows)
        said = _said_of(rule, given, rows, referred)
        for place in list(open_ones):
            mutant = left[place]
            changed = _with_params(given, mutant)
            others = (
                _episodes([each for each in closure if each.id != rule.id], changed, rows)
                if mutant.params and len(closure) > 1
                else referred
            )
            if said != _said_of(mutant.rule, changed, rows, others):
                told[place] = _case(closure, rule, mutant, given, rows)
                open_ones.remove(place)
        if not open_ones:
            break
    return list(told.values())


def _case(closure: Sequence[Rule], rule: Rule, mutant: Mutant, given: Context, rows: Records) -> str:
    """The case on which a mutant says something else, as small as it can be, and what both say."""
    changed = _with_params(given, mutant)

    def both(rows: Records) -> tuple[Said, Said]:
        return _said(closure, rule, given, rows), _said(closure, mutant.rule, changed, rows)

    least = _smallest(rows, lambda less: len(set(both(less))) > 1)
    one, other = both(least)
    return f"{_words(one)} became {_words(other)}: {_table(least)}"


def _smallest(rows: Records, differs: Callable[[Records], bool]) -> Records:
    """The same case without the records and cells that it does not need."""
    for domain, found in rows.items():
        for row in found:
            fewer = {**rows, domain: [other for other in rows[domain] if other["ROWN"] != row["ROWN"]]}
            rows = fewer if differs(fewer) else rows
    for domain in rows:
        for row in rows[domain]:
            for name in [name for name in row if _shown(name, row[name])]:
                emptied = {
                    **row,
                    **{each: None for each in row if each == name or each.startswith(f"{name}_")},
                }
                less = {**rows, domain: [emptied if each is row else each for each in rows[domain]]}
                if differs(less):
                    rows, row = less, emptied  # noqa: PLW2901 - the row goes on without the cell
    return rows


def _closure(pack: Pack, rule: Rule) -> set[str]:
    """The rule and those that it refers to."""
    wanted = {rule.id}
    for each in reversed(pack.rules):
        if each.id in wanted:
            wanted |= set(each.refers_to)
    return wanted


Said = tuple[tuple[str, str, str, str], ...]


def _said(rules: Sequence[Rule], rule: Rule, context: Context, rows: Records) -> Said:
    """What a rule says of the records, after those that it refers to."""
    return _said_of(
        rule, context, rows, _episodes([one for one in rules if one.id != rule.id], context, rows)
    )


def _episodes(rules: Sequence[Rule], context: Context, rows: Records) -> dict[str, Sequence[Episode]]:
    """The episodes of rules, each behind those that it refers to."""
    episodes: dict[str, Sequence[Episode]] = {}
    for each in rules:
        judged = judge(each, rows, context, episodes)
        episodes[each.id] = fold(each, [one.verdict for one in judged])
    return episodes


def _said_of(rule: Rule, context: Context, rows: Records, referred: Mapping[str, Sequence[Episode]]) -> Said:
    """What a rule says of the records: truth, opening, end and severity of each episode."""
    return tuple(
        (
            "fires" if episode.truth is Truth.TRUE else "can't be told",
            day_words(episode.opened),
            day_words(episode.closed) if episode.closed else "",
            " ".join(_severities(rule, episode)),
        )
        for episode in fold(rule, [one.verdict for one in judge(rule, rows, context, referred)])
    )


def _severities(rule: Rule, episode: Episode) -> list[str]:
    told = [verdict for verdict in episode.verdicts if verdict.truth is not Truth.FALSE]
    return [(rule.levels[each.level - 1].severity if each.level else rule.severity).value for each in told]


def _words(said: Said) -> str:
    """What a rule said, in a few words."""
    told = [
        f"{what} {opened} ({severities})" + (f" until {closed}" if closed else "")
        for what, opened, closed, severities in said
    ]
    return ", ".join(told) or "silence"


def _table(rows: Records) -> str:
    """The records of a generated case, briefly."""
    return "; ".join(
        f"{domain} {day_words(start_of(row))} "
        + ", ".join(f"{name} {value}" for name, value in row.items() if _shown(name, value))
        for domain, found in rows.items()
        for row in found
    )


def _shown(name: str, value: object) -> bool:
    hidden = ("ROWN", "KEY", "USUBJID", "SITEID", "VALID", "ANALYTE", "SECOND")
    return value is not None and name not in hidden and not name.endswith(("_LO", "_HI", "_OPEN"))
