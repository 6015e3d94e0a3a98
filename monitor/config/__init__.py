"""config.toml and the environment, as one frozen, checked `Settings`."""

from monitor.config.loading import load_settings
from monitor.config.models import (
    ActWithin,
    BaselineSettings,
    DrugSettings,
    LimitSettings,
    MailSettings,
    MonitorSettings,
    ReadSettings,
    RouteSettings,
    Settings,
    StudySettings,
)

__all__ = [
    "ActWithin",
    "BaselineSettings",
    "DrugSettings",
    "LimitSettings",
    "MailSettings",
    "MonitorSettings",
    "ReadSettings",
    "RouteSettings",
    "Settings",
    "StudySettings",
    "load_settings",
]
