"""What is wrong between settings that are each right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from monitor.config.models import Settings, StudySettings
from monitor.errors import Problem
from monitor.records import Severity


def contradictions(settings: Settings, name: str) -> Iterable[Problem]:
    """Every contradiction, addressed in the file `name`."""
    ids = [study.id for study in settings.studies]
    for study in sorted({study for study in ids if ids.count(study) > 1}):
        yield Problem(f"{name}: study", f"{study!r} is configured twice")
    for route in settings.routes:
        if route.study is not None and route.study not in ids:
            yield Problem(
                f"{name}: route.study", f"{route.study!r} is not a study; write one of {', '.join(ids)}"
            )
    try:
        make_url(settings.monitor.database)
    except ArgumentError:
        yield Problem(f"{name}: monitor.database", "is not a database URL, such as sqlite:///var/monitor.db")
    for number, each in enumerate(settings.studies):
        yield from _shared_names(each, f"{name}: study[{number}].drugs")
    yield from _unrouted(settings, name)
    yield from _mail(settings, name)


def _shared_names(study: StudySettings, address: str) -> Iterable[Problem]:
    """Names of EXTRT that two drugs claim: nobody could tell whose dose it is."""
    claims = Counter(name.strip().upper() for drug in study.drugs.values() for name in set(drug.names))
    for shared in sorted(name for name, times in claims.items() if times > 1):
        yield Problem(address, f"{shared!r} is a name of two drugs; leave it with one")


def _unrouted(settings: Settings, name: str) -> Iterable[Problem]:
    """Severities for which nobody, or in production too few, would be told."""
    for study in settings.studies:
        for severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW):
            people = {
                person
                for route in settings.routes
                if route.study in (None, study.id) and severity in route.severity
                for person in (*route.to, *route.backup)
            }
            if not people:
                yield Problem(
                    f"{name}: route", f"nobody is told of a {severity} alert of {study.id}; add a [[route]]"
                )
            elif severity is Severity.CRITICAL and settings.monitor.stage == "production" and len(people) < 2:
                yield Problem(
                    f"{name}: route", f"production needs two people for critical alerts of {study.id}"
                )


def _mail(settings: Settings, name: str) -> Iterable[Problem]:
    mail = settings.mail
    if settings.monitor.stage == "production" and mail.transport != "smtp":
        yield Problem(f"{name}: mail.transport", "production needs 'smtp'; a folder tells nobody")
    if mail.transport != "smtp":
        return
    if not mail.host:
        yield Problem(f"{name}: mail.host", "is required with transport 'smtp'")
    if mail.security == "none" and not (is_loopback(mail.host) or mail.plaintext_accepted):
        yield Problem(
            f"{name}: mail.security", "'none' needs a host on loopback, or plaintext_accepted = \"reason\""
        )
    if settings.monitor.stage == "test" and not mail.test_to:
        yield Problem(
            f"{name}: mail.test_to", "stage 'test' with transport 'smtp' needs an address for all mail"
        )
    if mail.password and mail.password_file:
        yield Problem(f"{name}: mail.password_file", "a password is set as well; give one of the two")
    yield from _not_allowed(settings, name)


def _not_allowed(settings: Settings, name: str) -> Iterable[Problem]:
    """People of a route outside the domains that mail may go to."""
    domains = {domain.lower() for domain in settings.mail.allow}
    for person in sorted({p for route in settings.routes for p in (*route.to, *route.backup)}):
        if domains and person.rsplit("@", 1)[-1].rstrip(">").lower() not in domains:
            yield Problem(f"{name}: route.to", f"{person} is not in a domain of mail.allow")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
