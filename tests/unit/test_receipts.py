"""What a load says of columns that it does not take."""

from __future__ import annotations

from monitor.usecases.load import columns_left


def test_columns_left_at_the_door_are_counted_and_unused_ones_named() -> None:
    mapping = {
        "dropped": [
            {"file": "dm.csv", "column": "INITIALS", "cells": 40},
            {"file": "dm.csv", "column": "DOB", "cells": 1},
        ],
        "unused": {"lab.csv": ["NOTE", "OPERATOR"]},
    }
    assert list(columns_left(mapping)) == [
        "dm.csv: column INITIALS was left at the door, with 40 values",
        "dm.csv: column DOB was left at the door, with 1 value",
        "lab.csv: no map uses 2 of its columns: NOTE, OPERATOR",
    ]
    assert not list(columns_left({}))
