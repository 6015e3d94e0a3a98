"""What came of a load, for people: a row for each study, and what they should look at."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.cli.output import Row, complain, say
from monitor.cli.snapshots import snapshot_row
from monitor.usecases.load import Loaded

MOST = 10  # rejected rows, and odd things, of one study that are shown


def load_row(loaded: Loaded) -> Row:
    """One study as a row of what was loaded."""
    said = "new data" if loaded.new else "the same data as before"
    return {**snapshot_row(loaded), "said": f"{said}, {loaded.state}" if loaded.state else said}


def attention(loaded: Sequence[Loaded]) -> bool:
    """Say what a person must know of the transfers; whether one is held."""
    for each in loaded:
        if each.attention:
            complain(f"{each.study}: snapshot {each.number} is {each.attention}")
    return any(each.state == "held" for each in loaded)


def rows_to_look_at(loaded: Sequence[Loaded], *, odd: bool = True) -> None:
    """Say which rows were rejected and, with `odd`, what is kept of new data though it is odd."""
    _rejects(loaded)
    if odd:
        _odd(loaded)


def _rejects(loaded: Sequence[Loaded]) -> None:
    for each in loaded:
        for line in each.rejects[:MOST]:
            complain(f"{each.study}: rejected {line}")
        if len(each.rejects) > MOST:
            complain(f"{each.study}: and {len(each.rejects) - MOST} more; `monitor snapshots --format json`")


def _odd(loaded: Sequence[Loaded]) -> None:
    """Say what is kept of new data though it is odd, and which columns are not."""
    for each in loaded:
        listed = each.odd if each.new else ()
        for line in each.left if each.new else ():
            say(f"{each.study}: {line}")
        for line in listed[:MOST]:
            say(f"{each.study}: odd: {line}")
        if len(listed) > MOST:
            more = f"monitor snapshots show {each.number} --study {each.study}"
            say(f"{each.study}: and {len(listed) - MOST} more such things: {more}")
