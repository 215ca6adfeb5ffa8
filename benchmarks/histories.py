"""Generated projects to measure on: a linear history of many revisions on SQLite.

python benchmarks/histories.py FOLDER REVISIONS [--upgrade | --stamp]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

INI = """\
[alembic]
script_location = %(here)s/migrations
path_separator = os
sqlalchemy.url = sqlite:///%(here)s/app.db
"""

ENV = """\
from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config
engine = engine_from_config(config.get_section(config.config_ini_section, {}), poolclass=pool.NullPool)

with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

REVISION = '''\
"""{message}

Revision ID: {revision}
Revises: {parent}
Create Date: 2026-01-01 12:00:00.000000

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = {revision!r}
down_revision: Union[str, None] = {down_revision!r}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''

COLUMNS_PER_TABLE = 20


def revision_id(number: int) -> str:
    """Twelve hexadecimal digits that follow no order, as Alembic's own ids do not."""
    return f"{(number * 0x9E3779B97F4B + 0x1F) % 2**48:012x}"


def write_project(root: Path, revisions: int) -> Path:
    """Write alembic.ini, env.py and the revisions, about 675 bytes each; the path of alembic.ini."""
    versions = root / "migrations" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text(INI, encoding="utf-8")
    (root / "migrations" / "env.py").write_text(ENV, encoding="utf-8")
    for number in range(revisions):
        revision, parent = revision_id(number), revision_id(number - 1) if number else None
        table, column = f"t{number // COLUMNS_PER_TABLE}", f"c{number}"
        if number % COLUMNS_PER_TABLE == 0:
            message = f"create {table}"
            upgrade = f'op.create_table("{table}", sa.Column("id", sa.Integer(), primary_key=True))'
            downgrade = f'op.drop_table("{table}")'
        else:
            message = f"add {column} to {table}"
            upgrade = f'op.add_column("{table}", sa.Column("{column}", sa.Integer(), nullable=True))'
            downgrade = f'op.drop_column("{table}", "{column}")'
        text = REVISION.format(
            message=message,
            revision=revision,
            parent=parent or "",
            down_revision=parent,
            upgrade=upgrade,
            downgrade=downgrade,
        )
        (versions / f"{revision}_{message.replace(' ', '_')}.py").write_text(text, encoding="utf-8")
    return root / "alembic.ini"


def alembic(ini: Path, *arguments: str, bytecode: bool = True) -> None:
    """Run stock Alembic on the project, with bytecode written and used, or without."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [sys.executable, *([] if bytecode else ["-B"]), "-m", "alembic", "-c", str(ini), *arguments],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("revisions", type=int)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--upgrade", action="store_true", help="run the migrations")
    how.add_argument("--stamp", action="store_true", help="only record the head")
    options = parser.parse_args()
    ini = write_project(options.folder, options.revisions)
    if options.upgrade or options.stamp:
        alembic(ini, "upgrade" if options.upgrade else "stamp", "head")


if __name__ == "__main__":
    main()
