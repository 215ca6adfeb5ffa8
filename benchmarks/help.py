"""What the plugin costs everybody: ``alembic --help`` with the package installed, and without.

Instruction counts where valgrind is there (they hardly vary), and processor time of paired runs:

    python benchmarks/help.py [PAIRS]
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

LIMIT = 1.03
CHECKOUT = Path(__file__).resolve().parent.parent


def environment(folder: Path) -> Path:
    """A virtual environment with the package and what it depends on; its ``alembic`` script."""
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", CHECKOUT], check=True)
    return scripts / "alembic"


def uninstall(alembic: Path) -> None:
    subprocess.run(
        [alembic.with_name("python"), "-m", "pip", "uninstall", "--quiet", "--yes", "alembic-ext"], check=True
    )


def processor_seconds(alembic: Path) -> float:
    before = os.times()
    subprocess.run([alembic, "--help"], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def instructions(alembic: Path) -> int | None:
    """Instructions of one run, or ``None`` without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    done = subprocess.run(
        [
            *("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"),
            *(str(alembic.with_name("python")), str(alembic), "--help"),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    return int(found[1].replace(",", "")) if found else None


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        without, with_plugin = environment(Path(folder, "without")), environment(Path(folder, "with"))
        uninstall(without)
        for alembic in (without, with_plugin):
            processor_seconds(alembic)  # bytecode is written once
        counted = instructions(without), instructions(with_plugin)
        times = [(processor_seconds(without), processor_seconds(with_plugin)) for _ in range(pairs)]
    ratios = []
    if counted[0] and counted[1]:
        ratios.append(counted[1] / counted[0])
        print(f"instructions:   without {counted[0]:,}   with {counted[1]:,}   ratio {ratios[0]:.4f}")
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    ratios.append(medians[1] / medians[0])
    print(
        f"processor time: without {medians[0]:.3f} s   with {medians[1]:.3f} s   ratio {ratios[-1]:.4f}   ({pairs} pairs)"
    )
    print(f"limit {LIMIT}: {'kept' if ratios[0] <= LIMIT else 'EXCEEDED'}")
    sys.exit(ratios[0] > LIMIT)


if __name__ == "__main__":
    main()
