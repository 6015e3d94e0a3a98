"""Who calls: the operating-system user, under sudo the caller, never what somebody writes."""

from __future__ import annotations

import os
import pwd

import pytest

from monitor.errors import UsageError
from monitor.usecases.actor import caller, this_caller

ROOT = pwd.getpwuid(0).pw_name
NOBODY = pwd.getpwnam("nobody")
STRANGER = 3_999_999_999


@pytest.mark.parametrize(
    ("uid", "environment", "name", "auth"),
    [
        (0, {}, ROOT, "os uid 0"),
        (NOBODY.pw_uid, {}, "nobody", f"os uid {NOBODY.pw_uid}"),
        (0, {"SUDO_UID": str(NOBODY.pw_uid)}, "nobody", f"sudo uid {NOBODY.pw_uid}"),
        (NOBODY.pw_uid, {"SUDO_UID": "0"}, "nobody", f"os uid {NOBODY.pw_uid}"),
        (NOBODY.pw_uid, {"SUDO_UID": "1"}, "nobody", f"os uid {NOBODY.pw_uid}"),
        (0, {"SUDO_UID": "0"}, ROOT, "os uid 0"),
        (0, {"SUDO_UID": "root"}, ROOT, "os uid 0"),
        (0, {"SUDO_UID": "²"}, ROOT, "os uid 0"),
        (0, {"SUDO_USER": "alice", "USER": "alice", "LOGNAME": "alice"}, ROOT, "os uid 0"),
        (STRANGER, {}, f"uid {STRANGER}", f"os uid {STRANGER}"),
    ],
)
def test_the_actor_is_the_user_of_the_process_or_sudos_caller_when_that_is_root(
    uid: int, environment: dict[str, str], name: str, auth: str
) -> None:
    actor = caller(uid, environment)
    assert (actor.name, actor.auth) == (name, auth)


def test_acting_for_somebody_else_names_both_and_a_reference() -> None:
    actor = caller(0, {}, on_behalf_of=" Dr. Li ", reference="mail of 2 March")
    assert (actor.name, actor.on_behalf_of, actor.reference) == (ROOT, "Dr. Li", "mail of 2 March")


@pytest.mark.parametrize(("behalf", "reference"), [("Dr. Li", ""), ("", "a mail"), ("Dr. Li", "  ")])
def test_one_without_the_other_is_refused(behalf: str, reference: str) -> None:
    with pytest.raises(UsageError, match="needs both"):
        caller(0, {}, on_behalf_of=behalf, reference=reference)


def test_this_process_has_an_actor() -> None:
    assert str(os.getuid()) in this_caller().auth or this_caller().auth.startswith("sudo")
