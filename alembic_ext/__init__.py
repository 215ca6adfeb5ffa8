"""Diagnose and repair Alembic migrations.

Nothing is imported here: this package is loaded by ``import alembic`` itself (see ``plugin.py``), so every
name below is looked up only when it is used (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from alembic_ext.commands import DoctorReport, doctor
    from alembic_ext.errors import AlembicExtError

__all__ = ["AlembicExtError", "DoctorReport", "__version__", "doctor"]

_HOMES = {"AlembicExtError": "errors", "DoctorReport": "commands", "doctor": "commands"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - lazy on purpose, see above

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
