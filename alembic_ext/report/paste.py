"""Commands that can be pasted: they begin as the user began."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_ext.report.model import DoctorReport

_OURS = re.compile(r"^(?P<blanks>[ \t]*)alembic(?=[ \t]|$)", re.MULTILINE)


def pasteable(command: str, report: DoctorReport) -> str:
    """The command with ``alembic`` at the start of a line replaced by what the user typed there.

    A command of another program, or ``alembic`` inside an argument, is left alone.
    """
    begin = _begin(report)
    return _OURS.sub(lambda found: found["blanks"] + begin, command)


def _begin(report: DoctorReport) -> str:
    if os.name == "nt":
        variables = "".join(f'set "{name}={value}" && ' for name, value in report.environment)
        return variables + subprocess.list2cmdline(report.invocation)
    variables = "".join(f"{name}={shlex.quote(value)} " for name, value in report.environment)
    return variables + shlex.join(report.invocation)
