"""The ledger's key: made once, private, refused when it can't be trusted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from monitor.audit.key import Key, make_key, read_key
from monitor.errors import LedgerError, NotInitialised


def test_a_key_is_private_from_its_first_moment_and_reads_back(tmp_path: Path) -> None:
    made = make_key(tmp_path / "var" / "key")
    assert (tmp_path / "var" / "key").stat().st_mode & 0o777 == 0o600
    assert read_key(tmp_path / "var" / "key") == made
    assert made.id == hashlib.sha256(made.secret).hexdigest()[:16]


def test_two_keys_differ_and_neither_shows_itself(tmp_path: Path) -> None:
    one, two = make_key(tmp_path / "one"), make_key(tmp_path / "two")
    assert one.secret != two.secret
    assert one.secret.hex() not in repr(one)
    assert str(one.secret) not in repr(one)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = make_key(tmp_path / "key")
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "key")
    assert read_key(tmp_path / "key") == made


def test_a_missing_key_is_not_initialised(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised, match="is missing: restore it"):
        read_key(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o666])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(LedgerError, match="chmod 600"):
        read_key(tmp_path / "key")


@pytest.mark.parametrize("content", [b"", b"zz", b"00" * 31, b"00" * 33, b"\xff\xfe"])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(LedgerError, match=r"does not hold 64 hexadecimal digits|can't be read") as caught:
        read_key(path)
    assert "0000" not in str(caught.value)


def test_a_folder_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="can't be read"):
        read_key(tmp_path)


def test_a_key_is_compared_by_its_secret() -> None:
    assert Key(b"a") == Key(b"a")
    assert Key(b"a") != Key(b"b")
