"""How a command ends: an exit code and a line, never a traceback."""

from __future__ import annotations

import pytest

from monitor.cli.app import ended
from monitor.errors import MonitorError, UsageError


def failing(error: Exception) -> int:
    """The exit code of a command that raises."""

    def command() -> None:
        raise error

    return ended(command)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MonitorError("it failed"), 1, "it failed"),
        (UsageError("not so"), 2, "not so"),
        (PermissionError(13, "Permission denied", "var/x"), 1, "the system refuses: "),
        (KeyError("01-003 had 467"), 1, "an unforeseen error, KeyError at "),
    ],
)
def test_an_error_ends_with_its_code_and_one_line(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(error) == code
    printed = capsys.readouterr().err
    assert printed.startswith(said)
    assert "Traceback" not in printed
    assert "467" not in printed


def test_a_command_that_ends_well_ends_with_0() -> None:
    assert ended(lambda: None) == 0
