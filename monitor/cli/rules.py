"""rules …: what authors of rules use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from monitor.authoring.examples import Tried
from monitor.authoring.survivors import CASES
from monitor.cli.backtests import backtest_rows, backtest_words
from monitor.cli.options import CONFIG, ConfigOption, FormOption, StudyOption, opened
from monitor.cli.output import Form, Row, complain, progress, say, show
from monitor.cli.whys import why_lines, why_rows
from monitor.clock import now
from monitor.config import Settings, load_settings
from monitor.errors import RuleError, UsageError
from monitor.rules.schema import rule_schema
from monitor.usecases.backtest import backtest
from monitor.usecases.boundary_examples import accept_examples, propose_examples
from monitor.usecases.mutate import EQUIVALENT, mutate_rules, passed
from monitor.usecases.rules import (
    check_rules,
    check_templates,
    explain_rule,
    list_rules,
    rule_sql,
    test_rules,
)
from monitor.usecases.why import explain_examples, explain_subject

rules = typer.Typer(help="List, check, test and explain the rules.", no_args_is_help=True)

RuleArgument = Annotated[str, typer.Argument(help="The rule's id, such as PLT-01.")]


@rules.command("list")
def list_all(config: ConfigOption = CONFIG, form: FormOption = Form.TABLE) -> None:
    """List the rules that the studies use."""
    rows = [asdict(each) for each in list_rules(load_settings(config))]
    show(rows, form, columns=("id", "pack", "severity", "title", "version", "examples", "studies"))


@rules.command("check")
def check_all(
    config: ConfigOption = CONFIG,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of a rule file, for editors, and end.")
    ] = False,
) -> None:
    """Check every rule, parameter and list, and the mails' templates; all errors at once, exit 2."""
    if schema:
        typer.echo(json.dumps(rule_schema(), indent=2))
        return
    settings = load_settings(config)
    problems = (*check_rules(settings), *check_templates(settings))
    if problems:
        raise RuleError(problems)
    say("All rules and templates can be used.", "green")


@rules.command("test")
def test_examples(
    rule: Annotated[str, typer.Argument(help="Only this rule.")] = "",
    boundaries: Annotated[
        bool, typer.Option("--boundaries", help="Propose the examples that the rule lacks, and end.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="With --boundaries: put them into the rule's file.")
    ] = False,
    config: ConfigOption = CONFIG,
    form: FormOption = Form.TABLE,
) -> None:
    """Run every rule's examples on every engine; exit 1 when one comes out otherwise."""
    if boundaries or accept:
        _boundaries(load_settings(config), rule, form, accept=accept)
        return
    with progress("Testing"):
        tested = test_rules(load_settings(config), rule or None)
    failed = [each for each in tested if not each.passed]
    rows = [asdict(each) for each in (failed if form is Form.TABLE else tested)]
    show(
        rows,
        form,
        columns=("rule", "example", "engine", "said"),
        empty=f"{_count(tested)} examples came out as expected on every engine.",
    )
    if failed:
        if form is Form.TABLE:
            _explain_examples(load_settings(config), _names(failed), form)
        complain(f"{_count(failed)} of {_count(tested)} examples came out otherwise.")
        raise typer.Exit(1)


def _names(failed: Sequence[Tried]) -> dict[str, list[str]]:
    """The examples by rule."""
    names: dict[str, list[str]] = {}
    for each in failed:
        names.setdefault(each.rule, []).append(each.example)
    return {rule: list(dict.fromkeys(examples)) for rule, examples in names.items()}


def _explain_examples(settings: Settings, names: Mapping[str, Sequence[str]], form: Form) -> None:
    """Why the rules say what they say of these of their examples, record by record."""
    rows: list[Row] = []
    for rule, examples in names.items():
        for name, found in explain_examples(settings, rule, examples).items():
            rows += [{"example": name, **row} for why in found for row in why_rows(why)]
            if form is Form.TABLE:
                say(f"\n{rule}, example {name}", "bold")
                for line, style in (line for why in found for line in why_lines(why)):
                    say(line, style)
    if form is not Form.TABLE:
        show(rows, form, columns=())


def _count(tested: Sequence[Tried]) -> int:
    """How many examples, whatever the number of engines."""
    return len({(each.rule, each.example) for each in tested})


def _boundaries(settings: Settings, rule: str, form: Form, *, accept: bool) -> None:
    """Propose boundary examples of a rule, as a table and as text for its file."""
    if not rule:
        raise UsageError("name the rule: monitor rules test RULE --boundaries")
    proposal = propose_examples(settings, rule)
    rows = [asdict(each) for each in proposal.variants]
    show(rows, form, columns=("subject", "said", "verdict"), empty="Its examples hold every variant already.")
    if form is not Form.TABLE or not rows:
        return
    if accept:
        say(f"Written to {accept_examples(settings, proposal)}; read each line before you sign.", "green")
    else:
        say(f"\n{proposal.text}")
        say("Is that what is meant? `--accept` puts it into the rule's file.", "bold")


@rules.command("mutate")
def mutate(
    rule: Annotated[str, typer.Argument(help="Only this rule.")] = "",
    cases: Annotated[
        int, typer.Option("--cases", min=1, help="Generated cases that a survivor must agree with.")
    ] = CASES,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many rules at a time.")] = 1,
    config: ConfigOption = CONFIG,
    form: FormOption = Form.TABLE,
) -> None:
    """Change one thing at a time in each rule: does an example notice? Exit 1 when none does."""
    settings = load_settings(config)
    with progress("Mutating") as step:
        found = list(mutate_rules(settings, rule, cases, step, jobs))
    rows = [
        {"rule": each.rule, "mutant": survivor.mutant, "differs": survivor.differs or "on no generated case"}
        for each in found
        for survivor in each.survivors
    ]
    show(rows, form, columns=("rule", "mutant", "differs"), empty="Every mutant was noticed by an example.")
    total, killed = sum(each.mutants for each in found), sum(each.killed for each in found)
    same = sum(len(each.equivalent) for each in found)
    missed = total - killed - same
    if form is Form.TABLE:
        said = f"{killed} of {total} mutants were noticed; {missed} were not; {same} are the same rule."
        say(said, "green" if not missed else "bold red")
    if missed:
        complain("Write an example that tells each mutant from the rule on which they differ.")
    if many := [each.rule for each in found if len(each.equivalent) > EQUIVALENT * each.mutants]:
        share = f"More than {EQUIVALENT:.0%} of the mutants are the same rule"
        complain(f"{share}: say {', '.join(many)} in fewer words, or make its parts matter.")
    if not all(passed(each) for each in found):
        raise typer.Exit(1)


@rules.command("explain")
def explain(
    rule: RuleArgument,
    subject: Annotated[
        str, typer.Argument(help="Say why the rule fired, stayed silent or can't tell of this subject.")
    ] = "",
    example: Annotated[
        str,
        typer.Option("--example", help="Say it of each record of the worked example of this name."),
    ] = "",
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    form: FormOption = Form.TABLE,
) -> None:
    """Say in words what a rule means in a study, and where its numbers come from; or why, of a subject."""
    if example:
        _explain_examples(load_settings(config), {rule: [example]}, form)
        return
    if subject:
        _explain_subject(config, study, rule, subject, form)
        return
    found = explain_rule(load_settings(config), rule, study or None)
    if form is not Form.TABLE:
        show([asdict(found)], form, columns=())
        return
    say(f"{found.id}  {found.title}  ({found.severity}, {found.study}, version {found.version})", "bold")
    say(found.sentence)
    for name, lines in (
        ("Ends", [found.clear] if found.clear else []),
        ("Due", [found.due] if found.due else []),
        ("Levels", found.levels),
        ("Boundary", found.chances),
        ("Parameters", found.parameters),
        ("NOT PROTOCOL-CONFIRMED", found.unconfirmed),
        ("Action", [found.action]),
        ("Basis", found.basis),
        ("Refers to", found.refers_to),
        ("Examples", found.examples),
    ):
        for line in lines:
            say(f"  {name + ':':<24}{line}")


def _explain_subject(config: Path, study: str, rule: str, subject: str, form: Form) -> None:
    """Why a rule said what it says of a subject, record by record."""
    monitor = opened(config)
    chosen = monitor.settings.study(study or _only_study(monitor.settings, rule))
    found = explain_subject(monitor, chosen, rule, subject, now())
    if form is not Form.TABLE:
        show(why_rows(found), form, columns=())
        return
    for line, style in why_lines(found):
        say(line, style)


def _only_study(settings: Settings, rule: str) -> str:
    """The study that uses the rule. Raises UsageError when it must be named."""
    studies = [name for each in list_rules(settings) if each.id == rule for name in each.studies]
    if len(studies) != 1:
        raise UsageError(f"name the study with --study; {rule} is used by {', '.join(studies) or 'none'}")
    return studies[0]


@rules.command("backtest")
def backtest_rule(
    rule: RuleArgument,
    study: Annotated[str, typer.Option("--study", help="The study whose history is used.")],
    draft: Annotated[
        Path | None, typer.Option("--draft", help="A rule file (or rules folder) to compare with.")
    ] = None,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="One cut-off a week in place of each day.")
    ] = False,
    config: ConfigOption = CONFIG,
    form: FormOption = Form.TABLE,
) -> None:
    """Say what a rule would have done over a study's history; with --draft, what would change."""
    monitor = opened(config)
    chosen = monitor.settings.study(study)
    with progress("Going back") as step:
        found = backtest(monitor, chosen, rule, now(), draft=draft, weekly=weekly, step=step)
    rows = backtest_rows(found)
    columns = ("subject", "opened", "seen", "severity", *(["draft"] if found.draft else []))
    show(rows, form, columns=columns, empty="No alert at any cut-off.")
    if form is Form.TABLE:
        for line in backtest_words(found):
            say(line)


@rules.command("sql")
def sql(rule: RuleArgument, config: ConfigOption = CONFIG, study: StudyOption = "") -> None:
    """Print the select that a rule is compiled to."""
    typer.echo(rule_sql(load_settings(config), rule, study or None))
