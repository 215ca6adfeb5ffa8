"""What was asked: project root, configuration file, database URL, Python path, and where each came from.

Nothing here connects to anything or imports the project's code.
"""

from __future__ import annotations

from alembic_ext.settings.model import DatabaseSetting, OwnSettings, Settings, SettingsProblem, Source
from alembic_ext.settings.resolve import resolve_settings

__all__ = ["DatabaseSetting", "OwnSettings", "Settings", "SettingsProblem", "Source", "resolve_settings"]
