"""A driver that runs the real command and kills it with SIGKILL at one chosen point; no hook in the product.

    python -m tests.killing          one JSON task a line on standard input, one JSON answer a line back

A task is {"args": […], "folder": …, "environment": {…}, "kill": N or null, "now": ISO time}. The driver
has imported everything already and forks for each task, so that a task costs what its work costs. Points
are counted from 1: before and after each commit, each rename, and each reply of the mail server.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol
from sqlalchemy.engine import Connection

import monitor.clock

MOMENT = [
    datetime.now(UTC)
]  # of the task; every command asks the one clock, which is set before they load it
monitor.clock.now = lambda: MOMENT[0]

from monitor.cli.app import main as command  # noqa: E402 - after the clock was set

Reach = Callable[[str], None]


def counter(points: Path, kill: int | None) -> Reach:
    """A function that notes each point reached in the file `points`, and dies at number `kill`."""
    reached = 0
    stream = os.open(points, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def reach(name: str) -> None:
        nonlocal reached
        reached += 1
        os.write(stream, f"{name}\n".encode())
        if reached == kill:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def watch_commits(reach: Reach) -> None:
    """Before and after each commit of a writing transaction, by its name."""
    commit = Connection._commit_impl

    def watched(self: Connection) -> None:
        options = self.get_execution_options()
        if options.get("reads"):
            commit(self)
            return
        name = options.get("transaction", "unnamed")
        reach(f"before commit {name}")
        commit(self)
        reach(f"after commit {name}")

    Connection._commit_impl = watched  # type: ignore[method-assign]


def watch_renames(reach: Reach, folder: Path) -> None:
    """Before and after each rename, by the first folder below var/ (its file's name where there is none)."""
    replace = os.replace

    def watched(source: Any, target: Any, **more: Any) -> None:
        try:
            name = Path(target).resolve().relative_to(folder / "var").parts[0]
        except ValueError:
            name = "elsewhere"
        reach(f"before rename {name}")
        replace(source, target, **more)
        reach(f"after rename {name}")

    os.replace = cast(Any, watched)


def watch_replies(reach: Reach) -> None:
    """Before and after each reply of the mail server, by the command that it answers.

    "Before" is when the command has left and the reply was not read: after the end of a message that
    is the moment in which the server has taken the mail and we don't know it.
    """
    read, execute = SMTPProtocol.read_response, SMTPProtocol.execute_command
    asked = "connect"

    async def watched_read(self: SMTPProtocol, *args: Any, **more: Any) -> aiosmtplib.SMTPResponse:
        nonlocal asked
        name = asked
        reach(f"before reply {name}")
        if name == "message":  # let the last bytes leave, as they would have without us
            await asyncio.sleep(0)
        response = await read(self, *args, **more)
        reach(f"after reply {name}")
        if response.code == 354:
            asked = "message"
        return response

    async def watched_command(self: SMTPProtocol, *args: bytes, **more: Any) -> aiosmtplib.SMTPResponse:
        nonlocal asked
        asked = args[0].decode().split()[0].upper()
        return await execute(self, *args, **more)

    data = SMTPProtocol.execute_data_command

    async def watched_data(self: SMTPProtocol, *args: Any, **more: Any) -> aiosmtplib.SMTPResponse:
        nonlocal asked
        asked = "DATA"
        return await data(self, *args, **more)

    SMTPProtocol.read_response = watched_read  # type: ignore[method-assign]
    SMTPProtocol.execute_command = watched_command  # type: ignore[method-assign]
    SMTPProtocol.execute_data_command = watched_data  # type: ignore[method-assign]


def child(task: dict[str, Any]) -> NoReturn:
    """Run the command in this (forked) process, and end it without cleaning up after the driver."""
    folder = Path(task["folder"])
    os.chdir(folder)
    os.environ.update(task["environment"])
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    MOMENT[0] = datetime.fromisoformat(task["now"])
    reach = counter(folder / "points.txt", task["kill"])
    watch_commits(reach)
    watch_renames(reach, folder)
    watch_replies(reach)
    code = 70
    try:
        sys.argv = ["monitor", *task["args"]]
        command()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:  # noqa: BLE001 - a forked child must never return into the driver's loop
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and say how it ended: the exit code, or minus the number of the signal."""
    process = os.fork()
    if process == 0:
        child(task)
    _, status = os.waitpid(process, 0)
    points = Path(task["folder"], "points.txt").read_text().splitlines()
    return {"code": os.waitstatus_to_exitcode(status), "points": points}


def main() -> None:
    """Answer tasks until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
