"""Revision files for tests: written to a real folder and read back with the reader itself."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.facts.history import History
from alembic_ext.facts.revision_files import RevisionFiles, read_revision_files

Ids = str | tuple[str, ...] | None


def revision_text(
    revision: str,
    down_revision: Ids = None,
    *,
    message: str = "",
    branch_labels: Ids = None,
    depends_on: Ids = None,
    upgrade: str = "pass",
    revises: str | None = None,
    created: str = "2026-01-01 00:00:00",
) -> str:
    """A file as Alembic's generic template writes it."""
    indented = upgrade.replace("\n", "\n    ")
    names = down_revision if isinstance(down_revision, str) else ", ".join(down_revision or ())
    return f'''"""{message or revision}

Revision ID: {revision}
Revises: {names if revises is None else revises}
Create Date: {created}

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = {revision!r}
down_revision: Union[str, Sequence[str], None] = {down_revision!r}
branch_labels: Union[str, Sequence[str], None] = {branch_labels!r}
depends_on: Union[str, Sequence[str], None] = {depends_on!r}


def upgrade() -> None:
    {indented}


def downgrade() -> None:
    pass
'''


class Environment:
    """A script location with one folder of versions."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.versions = root / "versions"
        self.versions.mkdir(parents=True)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file below ``versions``."""
        path = self.versions / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def add(
        self,
        revision: str,
        down_revision: Ids = None,
        *,
        name: str | None = None,
        message: str = "",
        branch_labels: Ids = None,
        depends_on: Ids = None,
        upgrade: str = "pass",
        revises: str | None = None,
        created: str = "2026-01-01 00:00:00",
    ) -> Path:
        """Write a revision file named after its id."""
        text = revision_text(
            revision,
            down_revision,
            message=message,
            branch_labels=branch_labels,
            depends_on=depends_on,
            upgrade=upgrade,
            revises=revises,
            created=created,
        )
        return self.write(name or f"{revision}_.py", text)

    def files(self, *, recursive: bool = False, sourceless: bool = False) -> RevisionFiles:
        """Read them."""
        return read_revision_files(self.root, (self.versions,), recursive=recursive, sourceless=sourceless)

    def history(self) -> History:
        """Read them, as a graph."""
        return History.from_files(self.files())
