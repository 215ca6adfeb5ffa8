"""What reading the revision files takes, beside ``alembic heads`` on the same files.

    python benchmarks/reading.py [REVISIONS] [ROUNDS]

Each round is a pair: ``alembic heads`` in a process of its own, wall time, then our reading (files, history, the
scan for commits) in a fresh process that has imported the package, because ``doctor`` imports it anyway. Printed
are medians and the ratio, with bytecode in ``__pycache__`` as Alembic leaves it, and without. Ends with 1 when the
ratio with bytecode is above the limit.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from histories import alembic, write_project

LIMIT = 0.2

READ = """\
import sys, time
from pathlib import Path
from alembic_ext.facts.commits import find_commits
from alembic_ext.facts.history import History
from alembic_ext.facts.revision_files import read_revision_files

versions = Path(sys.argv[1])
started = time.perf_counter()
files = read_revision_files(versions.parent, (versions,))
history = History.from_files(files)
commits = find_commits(files)
took = time.perf_counter() - started
assert len(history.revisions) == int(sys.argv[2]) and len(history.heads) == 1 and not commits
print(took)
"""


def heads(ini: Path, *, bytecode: bool) -> float:
    started = time.perf_counter()
    alembic(ini, "heads", bytecode=bytecode)
    return time.perf_counter() - started


def reading(ini: Path, revisions: int) -> float:
    versions = ini.parent / "migrations" / "versions"
    done = subprocess.run(
        [sys.executable, "-c", READ, str(versions), str(revisions)],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return float(done.stdout)


def measure(ini: Path, revisions: int, rounds: int, *, bytecode: bool) -> float:
    """Print the medians of both and return their ratio."""
    pairs = [(heads(ini, bytecode=bytecode), reading(ini, revisions)) for _ in range(rounds)]
    theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in pairs)
    title = "with bytecode" if bytecode else "without bytecode"
    print(
        f"{title:17} alembic heads {theirs:.2f} s   reading {ours:.3f} s   ratio {ratio:.3f}   {rounds} pairs"
    )
    return ratio


def main() -> None:
    revisions = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory() as folder:
        ini = write_project(Path(folder) / "project", revisions)
        print(f"{revisions} revisions")
        alembic(ini, "heads")  # leaves the bytecode
        warm = measure(ini, revisions, rounds, bytecode=True)
        shutil.rmtree(ini.parent / "migrations" / "versions" / "__pycache__")
        measure(ini, revisions, rounds, bytecode=False)
    raise SystemExit(1 if warm > LIMIT else 0)


if __name__ == "__main__":
    main()
