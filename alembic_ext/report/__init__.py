"""What is shown of a result: text and JSON, pure functions from the result to a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.report import json, text
from alembic_ext.report.model import DatabaseReport, DoctorReport, Record, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["RENDERERS", "DatabaseReport", "DoctorReport", "Record", "Tool"]

RENDERERS: Mapping[str, Callable[..., str]] = {"json": json.render, "text": text.render}
"""Format -> ``render(report, *, verbose=False)``."""
