"""Every Alembic command, and ours, on the project in this folder, from any working directory."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The folder alembic/ beside this file is the migration environment: it must not hide the library of that name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]

from alembic_ext.cli import main  # noqa: E402 - only now

if __name__ == "__main__":
    main(root=HERE)
