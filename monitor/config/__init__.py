"""config.toml and the environment, as one frozen, checked `Settings`."""

from monitor.config.loading import load_settings
from monitor.config.models import (
    ActWithin,
    BaselineSettings,
    DrugSettings,
    MailSettings,
    MonitorSettings,
    RouteSettings,
    Settings,
    StudySettings,
)

__all__ = [
    "ActWithin",
    "BaselineSettings",
    "DrugSettings",
    "MailSettings",
    "MonitorSettings",
    "RouteSettings",
    "Settings",
    "StudySettings",
    "load_settings",
]
