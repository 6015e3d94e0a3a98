"""config.toml and the environment: typed, all errors at once, no secret in clear."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import load_settings
from monitor.errors import ConfigError
from monitor.records import Severity

GOOD = """
[monitor]
stage = "test"
timezone = "Asia/Shanghai"
[mail]
transport = "folder"
sender = "Monitor <monitor@example.org>"
[[study]]
id = "S-1"
source = "data"
rules = ["generic"]
ctcae = "5.0"
blinded = false
mail = "coded"
[[route]]
severity = ["critical", "high", "medium", "low"]
to = ["a@example.org", "b@example.org"]
"""
SMTP = 'transport = "smtp"\nhost = "mail.example.org"'


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(folder, text), environment or {})
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_config_is_valid() -> None:
    settings = load_settings(Path(__file__).parents[2] / "config.toml", {})
    assert [study.id for study in settings.studies] == ["ROMI-AA", "CDISC-PILOT"]


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, GOOD), {})
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/monitor.db"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load_settings(
        write(tmp_path, GOOD), {"MONITOR_MAIL__PASSWORD": "s3cret", "MONITOR_MONITOR__DATA_DIR": "/data"}
    )
    assert settings.mail.password is not None
    assert settings.mail.password.get_secret_value() == "s3cret"
    assert settings.data_dir == Path("/data")
    assert "s3cret" not in repr(settings)


def test_acknowledgement_targets_are_time_spans(tmp_path: Path) -> None:
    text = GOOD.replace("[mail]", '[monitor.act_within]\ncritical = "30m"\n[mail]')
    within = load_settings(write(tmp_path, text), {}).monitor.act_within
    assert within.of(Severity.CRITICAL) == timedelta(minutes=30)
    assert within.of(Severity.HIGH) == timedelta(hours=24)
    assert within.of(Severity.NONE) == within.low


def test_all_errors_come_at_once_with_their_key_path(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """
[monitor]
stage = "live"
timezone = "Mars"
databse = "x"
[mail]
transport = "folder"
sender = "nobody"
[[study]]
id = "S 1"
source = "data"
rules = []
""",
        {"MONITOR_MIAL__HOST": "x", "MONITOR_TEST_POSTGRES": "not a setting, and not refused"},
    )
    expected = [
        "MONITOR_MIAL__HOST: this environment variable is no setting of [monitor] or [mail]",
        "config.toml: monitor.stage: Input should be 'test' or 'production'; given 'live'",
        "config.toml: monitor.timezone: 'Mars' is not a time zone; write one such as 'Asia/Shanghai'",
        "config.toml: monitor.databse: is not a setting; did you mean database?",
        "config.toml: mail.sender: 'nobody' is not an e-mail address",
        "config.toml: study[0].ctcae: is required and has no default",
        "config.toml: study[0].blinded: is required and has no default",
        "config.toml: study[0].mail: is required and has no default",
        "config.toml: route: is required and has no default",
    ]
    assert [line for line in expected if line not in said] == []
    assert any(line.startswith("config.toml: study[0].id") for line in said)
    assert any(line.startswith("config.toml: study[0].rules") for line in said)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'sender = "',
            'password = "hush"\nsender = "',
            "mail.password: a password does not belong in this file",
        ),
        (
            'stage = "test"',
            'stage = "test"\ndatabase = "postgresql://m:hush@h/d"',
            "holds a password in clear",
        ),
        ('stage = "test"', 'stage = "test"\ndatabase = "nonsense"', "is not a database URL"),
        ('"critical", ', "", "nobody is told of a critical alert of S-1"),
        ('stage = "test"', 'stage = "production"', "production needs 'smtp'; a folder tells nobody"),
        ('transport = "folder"', 'transport = "smtp"', "mail.host: is required with transport 'smtp'"),
        ('transport = "folder"', SMTP, "mail.test_to: stage 'test' with transport 'smtp' needs an address"),
        ('transport = "folder"', SMTP + '\nsecurity = "none"', "'none' needs a host on loopback"),
        (
            'transport = "folder"',
            SMTP + '\nallow = ["other.org"]',
            "a@example.org is not in a domain of mail.allow",
        ),
        ("[[route]]", '[[route]]\nstudy = "S-2"', "'S-2' is not a study; write one of S-1"),
        ('ctcae = "5.0"', 'ctcae = "5.0"\ncutoff = "soon"', "write 'today', 'extract', 'data' or a date"),
        ("[mail]", '[monitor.act_within]\nhigh = "soon"\n[mail]', "write a number and s, m, h or d"),
        ("[monitor]", "[monitor", "not readable as TOML"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    said = problems(tmp_path, GOOD.replace(old, new, 1))
    assert [line for line in said if expected in line], said
    assert "hush" not in "\n".join(said)


def test_production_needs_two_people_for_critical_alerts(tmp_path: Path) -> None:
    text = GOOD.replace("test", "production").replace('transport = "folder"', SMTP)
    assert load_settings(write(tmp_path, text), {}).monitor.stage == "production"
    alone = text.replace(', "b@example.org"', "")
    assert problems(tmp_path, alone) == [
        "config.toml: route: production needs two people for critical alerts of S-1"
    ]


def test_a_password_and_a_password_file_are_one_too_many(tmp_path: Path) -> None:
    text = GOOD.replace('transport = "folder"', SMTP + '\ntest_to = "t@example.org"\npassword_file = "p"')
    assert problems(tmp_path, text, {"MONITOR_MAIL__PASSWORD": "hush"}) == [
        "config.toml: mail.password_file: a password is set as well; give one of the two"
    ]


def test_plain_text_mail_is_for_loopback_or_by_decision(tmp_path: Path) -> None:
    smtp = SMTP + '\ntest_to = "t@example.org"\nsecurity = "none"'
    for host in ("127.0.0.1", "localhost", "::1"):
        text = GOOD.replace('transport = "folder"', smtp.replace("mail.example.org", host))
        assert load_settings(write(tmp_path, text), {}).mail.host == host
    accepted = GOOD.replace('transport = "folder"', smtp + '\nplaintext_accepted = "closed ward network"')
    assert load_settings(write(tmp_path, accepted), {}).mail.plaintext_accepted


def test_an_unknown_study_is_named_with_the_known_ones(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, GOOD), {})
    assert settings.study("S-1").source == "data"
    with pytest.raises(ConfigError, match="'S-9' is not configured; the studies are S-1"):
        settings.study("S-9")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`monitor init` writes one"):
        load_settings(tmp_path / "config.toml", {})


def test_a_study_configured_twice_is_refused(tmp_path: Path) -> None:
    study = GOOD[GOOD.index("[[study]]") : GOOD.index("[[route]]")]
    assert problems(tmp_path, GOOD.replace("[[route]]", study + "[[route]]")) == [
        "config.toml: study: 'S-1' is configured twice"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[monitor]", "monitor = 3\n[other]", "config.toml: monitor: write a table"),
        ("[mail]", "[[mail]]", "config.toml: mail: write a table"),
        ("[[study]]", "[study]", r"config.toml: study: write \[\[study\]\] with two brackets"),
        ('rules = ["generic"]', 'rules = "generic"', r"study\[0\].rules: write a list.*given 'generic'"),
        ("rules =", "params = {p = nan}\nrules =", r"study\[0\].params.p: write a finite number"),
        ('stage = "test"', f'stage = "{"x" * 500}"', r"monitor.stage: .*given 'x{79}…"),
    ],
)
def test_a_setting_of_another_shape_is_named_and_cut_short(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load_settings(write(tmp_path, GOOD.replace(old, new)), {"MONITOR_MONITOR__THREADS": "1"})


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "\ufeff" + GOOD), {}).studies[0].id == "S-1"


def test_a_config_that_is_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"can't be read: Is a directory"):
        load_settings(tmp_path, {})


def test_a_name_of_two_drugs_is_refused(tmp_path: Path) -> None:
    drugs = """
[study.drugs.one]
names = ["DRUG A"]
kind = "single"
[study.drugs.two]
names = ["Drug A ", "B"]
kind = "continuous"
[[route]]"""
    with pytest.raises(ConfigError, match=r"study\[0\].drugs: 'DRUG A' is a name of two drugs"):
        load_settings(write(tmp_path, GOOD.replace("\n[[route]]", drugs)), {})
