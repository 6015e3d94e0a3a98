"""The built-in texts, for when a template breaks and for mails that may say nothing clinical."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from monitor.delivery.letter import Letter, View
from monitor.delivery.templates import Rendered
from monitor.records import Severity


def counted(views: Iterable[View]) -> str:
    """'1 critical, 2 high': the alerts by severity, the most severe first."""
    counts = Counter(view.severity for view in views)
    return ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])


def marks(letter: Letter) -> str:
    """What stands first in every subject."""
    return ("[TEST]" if letter.test else "") + ("[SYNTHETIC]" if letter.synthetic else "")


def link_text(views: Sequence[View], letter: Letter) -> Rendered:
    """Study, severity and the alerts' ids; nothing clinical, no subject, no site, no rule."""
    one = views[0].alert if len(views) == 1 else f"{len(views)} alerts"
    due = f" · act by {views[0].due}" if len(views) == 1 and views[0].due else ""
    subject = f"{marks(letter)}[{letter.study}][{letter.severity.upper()}] {one}{due}"
    body = [
        *_marked(letter),
        f"The safety monitor has {counted(views)} to be looked at in study {letter.study}.",
        "This mail holds no clinical content. Look at the evidence, then acknowledge:",
        "",
    ]
    for view in views:
        body += [f"  {view.severity.upper()} alert {view.alert}{f', act by {view.due}' if view.due else ''}"]
        body += [f"    monitor alert {view.alert}", f"    {view.acknowledge}"]
    body += ["", letter.link] if letter.link else []
    return Rendered(subject, _text(body, letter), "")


def fallback_text(views: Sequence[View], letter: Letter) -> Rendered:
    """Everything that the templates would have said, without them."""
    if letter.kind == "summary" or len(views) != 1:
        subject = f"[{letter.study}][{letter.severity.upper()}] {len(views)} alerts ({counted(views)})"
    else:
        view = views[0]
        who = f"[{view.study}][{view.site}][{view.severity.upper()}] {view.rule} {view.kind} · {view.subject}"
        subject = f"{who} {view.news.upper()} · act by {view.due}"
    body = [*_marked(letter), "The mail's template is broken; this is the built-in text.", ""]
    for view in views:
        body += [*_everything(view), ""]
    return Rendered(marks(letter) + subject, _text(body, letter), "")


def _marked(letter: Letter) -> list[str]:
    said = [f"[TEST] In production this mail goes to {letter.intended}."] if letter.test else []
    return [*said, "SYNTHETIC DATA: these are invented patients."] if letter.synthetic else said


def _text(body: Sequence[str], letter: Letter) -> str:
    return "\n".join([*body, "", f"ledger {letter.ledger_seq}:{letter.ledger_mac}", ""])


def _everything(view: View) -> list[str]:
    """One view, a line per field that is there."""
    named = [
        ("severity", view.severity.upper()),
        (view.dated.lower(), view.drawn),
        ("received", f"{view.received} ({view.delay})" if view.delay else view.received),
        ("doses since", view.doses_since),
        ("NOT PROTOCOL-CONFIRMED", "; ".join(view.unconfirmed)),
        ("study", view.study),
        ("site", view.site),
        ("subject", view.subject),
        ("rule", f"{view.rule} {view.kind} {view.title}".strip()),
        ("act by", view.due),
        *(("clock", clock) for clock in view.clocks),
        ("state", f"{view.state}; {view.standing}"),
        ("reason", view.reason),
        ("why", view.sentence),
        ("about", view.subjects),
        *(("can't be told", cause) for cause in view.causes),
        *(("assumed", said) for said in view.assumed),
        *(("folded into this alert", rule) for rule in view.folded),
        *(("changed", f"{c.record} of {c.day}: {c.old} -> {c.new}") for c in view.changes),
        *(("evidence", f"{x.day} {x.record} {x.value} {x.note} ({x.role})") for x in view.lines),
        *(("threshold", f"{limit.name} = {limit.value}, from {limit.source}") for limit in view.limits),
        ("suggested action", view.action),
        ("acknowledge", view.acknowledge),
        ("link", view.link),
        ("alert", view.alert),
        ("rule version", view.version),
        ("finding", view.finding),
        ("data", view.snapshot),
    ]
    return [f"{name}: {text}" for name, text in named if text.strip()]
