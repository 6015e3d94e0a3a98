"""What can be set, and what each setting may be."""

from __future__ import annotations

import codecs
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from sqlalchemy.engine import make_url

from monitor.config.maps import Maps, Pattern
from monitor.errors import ConfigError, Problem
from monitor.records import Severity

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(text: object) -> timedelta:
    """'30s', '15m', '1h' or '3d' as a time span."""
    found = re.fullmatch(r"(\d+)\s*([smhd])", str(text).strip())
    if not found:
        raise ValueError("write a number and s, m, h or d, such as '24h'")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _address(text: str) -> str:
    """An e-mail address, perhaps with a name in front."""
    bare = re.search(r"<([^<>]+)>\s*$", text)
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", bare[1] if bare else text.strip()) or "\n" in text:
        raise ValueError(f"{text!r} is not an e-mail address")
    return text.strip()


def _zone(text: str) -> str:
    """A time zone of the IANA list."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{text!r} is not a time zone; write one such as 'Asia/Shanghai'") from error
    return text


def _encoding(text: str) -> str:
    """The name of a character encoding."""
    try:
        return codecs.lookup(text).name
    except LookupError as error:
        raise ValueError(f"{text!r} is not an encoding; write one such as 'latin-1' or 'gb18030'") from error


def _cutoff(text: object) -> str:
    """today, extract, data, or a date."""
    said = str(text)
    if said not in {"today", "extract", "data"}:
        try:
            date.fromisoformat(said)
        except ValueError as error:
            raise ValueError("write 'today', 'extract', 'data' or a date such as '2026-03-01'") from error
    return said


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Address = Annotated[str, AfterValidator(_address)]


class _Section(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ActWithin(_Section):
    """How long after its detection an alert must be acknowledged, by severity (rule-pack defaults)."""

    critical: Duration = timedelta(hours=1)
    high: Duration = timedelta(hours=24)
    medium: Duration = timedelta(days=3)
    low: Duration = timedelta(days=7)

    def of(self, severity: Severity) -> timedelta:
        """The time span for a severity; `none` has that of low."""
        found: timedelta = getattr(self, severity.value, self.low)
        return found


class LimitSettings(_Section):
    """[monitor.limits]: what is refused, because no trial is as large and no machine could hold it."""

    bytes: int = Field(default=100_000_000_000, ge=1)
    ratio: int = Field(default=200, ge=1)
    members: int = Field(default=10_000, ge=1)
    columns: int = Field(default=2_000, ge=1)
    cells: int = Field(default=2_000_000_000, ge=1)
    text: int = Field(default=1_000_000, ge=1)
    memory: str = Field(default="600MB", pattern=r"^\d+(\.\d+)?\s*[KMGT]i?B$")


class MonitorSettings(_Section):
    """[monitor]: the installation."""

    stage: Literal["test", "production"]
    data_dir: Path = Path("var")
    database: str = "sqlite:///var/monitor.db"
    database_owner: SecretStr | None = None
    timezone: Annotated[str, AfterValidator(_zone)]
    rules_dir: Path = Path("rules")
    templates_dir: Path = Path("templates")
    act_within: ActWithin = ActWithin()
    ping: str = ""
    threads: int = Field(default=2, ge=1)
    memory_limit: str = "1GB"
    lease: Duration = timedelta(minutes=10)
    limits: LimitSettings = LimitSettings()


class MailSettings(_Section):
    """[mail]: how mail leaves."""

    transport: Literal["folder", "smtp"]
    folder: Path = Path("var/mail")
    sender: Address
    test_to: Address | None = None
    allow: tuple[str, ...] = ()
    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    plaintext_accepted: str = ""
    helo: str = ""
    envelope_from: Address | None = None
    reply_to: Address | None = None
    ca_file: Path | None = None
    timeout: Duration = timedelta(seconds=30)
    max_per_connection: int = Field(default=50, ge=1)
    max_per_minute: int = Field(default=60, ge=1)
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    link: str = ""


class DrugSettings(_Section):
    """[study.drugs.<name>]: a study drug. `number` is its n in AEACNn and AERELn."""

    names: tuple[str, ...] = Field(min_length=1)
    kind: Literal["single", "continuous"]
    number: int | None = Field(default=None, ge=1)


class FreeOfSettings(_Section):
    """[study.baseline.<TESTCD>.free_of]: what must not have been in the days before a baseline."""

    records: tuple[Literal["CM", "PR", "EX", "EC", "AE", "MH"], ...] = Field(min_length=1)
    words: tuple[str, ...] = ()
    days: int = Field(ge=0)


class BaselineSettings(_Section):
    """[study.baseline.<TESTCD>]: which value is the baseline."""

    before: str = ""
    otherwise: str = ""
    free_of: FreeOfSettings | None = None
    choose: Literal["last", "median", "lowest"] = "last"
    given: dict[str, float] = {}


class ReadSettings(_Section):
    """[study.read."PATTERN"]: how files whose names match are written; what is not said is found out."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    decimal: Literal[".", ","] | None = None
    header: int | None = Field(default=None, ge=1)  # the row of a workbook's header


class StudySettings(_Section):
    """[[study]]: one trial."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    source: str
    queries: dict[str, str] = {}
    password_file: Path | None = None
    read: dict[str, ReadSettings] = {}
    map: Maps = {}
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    subject_pattern: Pattern = ""
    rules: tuple[str, ...] = Field(min_length=1)
    preset: str | None = None
    ctcae: Literal["5.0", "6.0"]
    blinded: bool
    mail: Literal["link", "coded", "full"]
    cutoff: Annotated[str, BeforeValidator(_cutoff)] = "today"
    same_day: Literal["before", "after", "cannot tell"] = "cannot tell"
    synthetic: bool = False
    params: dict[str, float] = {}
    confirmed: tuple[str, ...] = ()
    terms: dict[str, tuple[str, ...]] = {}
    drugs: dict[str, DrugSettings] = {}
    baseline: dict[str, BaselineSettings] = {}
    weight: Literal["start", "current"] = "start"
    through: dict[str, date] = {}
    delivery: Literal["full", "delta"] = "full"
    max_lost: float = Field(default=0.02, ge=0, le=1)


class RouteSettings(_Section):
    """[[route]]: who is told. `backup` is asked, in turn, when one of `to` can't be reached."""

    study: str | None = None
    severity: tuple[Severity, ...] = Field(min_length=1)
    to: tuple[Address, ...] = Field(min_length=1)
    backup: tuple[Address, ...] = ()


class Settings(_Section):
    """The whole configuration; `base` is the folder of config.toml."""

    monitor: MonitorSettings
    mail: MailSettings
    studies: tuple[StudySettings, ...] = Field(alias="study", min_length=1)
    routes: tuple[RouteSettings, ...] = Field(alias="route", min_length=1)
    base: Path

    def path(self, path: Path | str) -> Path:
        """A path of the configuration, made absolute."""
        return (self.base / path).resolve()

    @property
    def data_dir(self) -> Path:
        """Where everything that the monitor keeps lies."""
        return self.path(self.monitor.data_dir)

    @property
    def database_url(self) -> str:
        """The database's URL; the file of SQLite made absolute."""
        url = make_url(self.monitor.database)
        if url.get_backend_name() == "sqlite" and url.database:
            url = url.set(database=str(self.path(url.database)))
        return url.render_as_string(hide_password=False)

    def study(self, study: str) -> StudySettings:
        """The settings of one study. Raises ConfigError when it is not configured."""
        for settings in self.studies:
            if settings.id == study:
                return settings
        known = ", ".join(settings.id for settings in self.studies)
        raise ConfigError([Problem("study", f"{study!r} is not configured; the studies are {known}")])
