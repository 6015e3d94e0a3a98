"""Who calls: the operating-system user; under sudo, the person who called it. Never an argument."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from monitor.errors import UsageError
from monitor.records import Actor


def caller(uid: int, environment: Mapping[str, str], *, on_behalf_of: str = "", reference: str = "") -> Actor:
    """The actor of a command whose process has the real user id `uid`.

    SUDO_UID counts only when the real user is root, since only then sudo has set it: anybody can
    set an environment variable. Acting for somebody else needs a reference (a mail, a call, a form).
    """
    if bool(on_behalf_of.strip()) != bool(reference.strip()):
        raise UsageError("acting for somebody else needs both --on-behalf-of NAME and --reference TEXT")
    name, auth = _who(uid, environment)
    return Actor(name, auth, on_behalf_of.strip(), reference.strip())


def this_caller(*, on_behalf_of: str = "", reference: str = "") -> Actor:
    """The actor of this process."""
    return caller(os.getuid(), os.environ, on_behalf_of=on_behalf_of, reference=reference)


def _who(uid: int, environment: Mapping[str, str]) -> tuple[str, str]:
    """Name and how it is known: `os` with the uid, or `sudo` with the caller's uid."""
    given = environment.get("SUDO_UID", "")
    if uid == 0 and given.isascii() and given.isdigit() and int(given) != 0:
        return _name(int(given)), f"sudo uid {int(given)}"
    return _name(uid), f"os uid {uid}"


def _name(uid: int) -> str:
    """The user's name; the number for a user whom the system does not know."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
