"""``python -m alembic_ext``: every command, Alembic's and ours."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    # Python put the working directory first on sys.path: a folder alembic/ in it must not hide the library.
    found, here = list(sys.path), Path.cwd()
    sys.path[:] = [entry for entry in found if Path(entry or os.curdir).absolute() != here]
    import_module("alembic.config")
    sys.path[:] = found
    from alembic_ext.cli import main

    main()
