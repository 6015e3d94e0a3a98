"""rules …, mail test, simulate: what authors of rules and operators use now and then."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, FormOption, StudyOption
from monitor.cli.output import Form, complain, progress, say, show
from monitor.clock import now
from monitor.config import load_settings
from monitor.errors import RuleError
from monitor.usecases.mail_test import mail_test
from monitor.usecases.rules import (
    check_rules,
    check_templates,
    explain_rule,
    list_rules,
    rule_sql,
    test_rules,
)
from monitor.usecases.simulate import START
from monitor.usecases.simulate import simulate as write_trial

rules = typer.Typer(help="List, check, test and explain the rules.", no_args_is_help=True)
mail = typer.Typer(help="Try the mail server.", no_args_is_help=True)

RuleArgument = Annotated[str, typer.Argument(help="The rule's id, such as PLT-01.")]


@rules.command("list")
def list_all(config: ConfigOption = CONFIG, form: FormOption = Form.TABLE) -> None:
    """List the rules that the studies use."""
    rows = [asdict(each) for each in list_rules(load_settings(config))]
    show(rows, form, columns=("id", "pack", "severity", "title", "version", "examples", "studies"))


@rules.command("check")
def check_all(config: ConfigOption = CONFIG) -> None:
    """Check every rule, parameter and list, and the mails' templates; all errors at once, exit 2."""
    settings = load_settings(config)
    problems = (*check_rules(settings), *check_templates(settings))
    if problems:
        raise RuleError(problems)
    say("All rules and templates can be used.", "green")


@rules.command("test")
def test_examples(
    rule: Annotated[str, typer.Argument(help="Only this rule.")] = "",
    config: ConfigOption = CONFIG,
    form: FormOption = Form.TABLE,
) -> None:
    """Run every rule's examples on every engine; exit 1 when one comes out otherwise."""
    with progress("Testing"):
        tested = test_rules(load_settings(config), rule or None)
    failed = [each for each in tested if not each.passed]
    rows = [asdict(each) for each in (failed if form is Form.TABLE else tested)]
    show(
        rows,
        form,
        columns=("rule", "example", "engine", "said"),
        empty=f"{len(tested)} examples came out as expected.",
    )
    if failed:
        complain(f"{len(failed)} of {len(tested)} examples came out otherwise.")
        raise typer.Exit(1)


@rules.command("explain")
def explain(
    rule: RuleArgument, config: ConfigOption = CONFIG, study: StudyOption = "", form: FormOption = Form.TABLE
) -> None:
    """Say in words what a rule means in a study, and where its numbers come from."""
    found = explain_rule(load_settings(config), rule, study or None)
    if form is not Form.TABLE:
        show([asdict(found)], form, columns=())
        return
    say(f"{found.id}  {found.title}  ({found.severity}, {found.study}, version {found.version})", "bold")
    say(found.sentence)
    for name, lines in (
        ("Ends", [found.clear] if found.clear else []),
        ("Levels", found.levels),
        ("Parameters", found.parameters),
        ("NOT PROTOCOL-CONFIRMED", found.unconfirmed),
        ("Action", [found.action]),
        ("Basis", found.basis),
        ("Refers to", found.refers_to),
        ("Examples", found.examples),
    ):
        for line in lines:
            say(f"  {name + ':':<24}{line}")


@rules.command("sql")
def sql(rule: RuleArgument, config: ConfigOption = CONFIG, study: StudyOption = "") -> None:
    """Print the select that a rule is compiled to."""
    typer.echo(rule_sql(load_settings(config), rule, study or None))


@mail.command("test")
def mail_to(
    address: Annotated[str, typer.Argument(help="Who gets the test mail.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Send one test mail and print every reply; says what to ask IT for when it fails."""
    tried = mail_test(load_settings(config), address, now())
    for step in tried.steps:
        say(f"{step.step:<10} {step.reply}")
    say(tried.advice, "green" if tried.accepted else "bold red")
    if not tried.accepted:
        raise typer.Exit(1)


def simulate(
    trial: Annotated[str, typer.Argument(help="The trial, such as romiplostim-aa.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write, empty or new.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 1,
    start: Annotated[
        datetime | None,
        typer.Option("--start", formats=["%Y-%m-%d"], help="The day the first subject starts."),
    ] = None,
) -> None:
    """Write a synthetic trial, marked as such."""
    made = write_trial(trial, seed, out, start.date() if start else START)
    counted = ", ".join(f"{domain} {rows}" for domain, rows in made.rows.items())
    say(f"{made.folder}: {counted}; data until {made.until}.")
