"""What the whole doctor takes, beside ``alembic heads`` and ``alembic current`` on the same project.

    python benchmarks/doctor.py [ROUNDS]

Two linear histories on SQLite at head, 5,000 revisions and 10. Each round runs the three commands one after the
other, each in a process of its own; printed are medians of the processor time (children included), of the wall
time and of the peak memory, and the ratios of the processor times. Ends with 1 when a ratio is above its limit.

Install the package first, as a user has it: its bytecode is compiled then.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from histories import alembic, write_project

COMMANDS = {
    "heads": ("-m", "alembic", "heads"),
    "current": ("-m", "alembic", "current"),
    "doctor": ("-m", "alembic", "doctor"),
}
LIMITS = {5000: {"heads": 1.2, "current": 0.25}, 10: {"current": 1.4}}
MEMORY_LIMIT = 1.0
"""Peak memory with 5,000 revisions, at most that of ``alembic current``."""


@dataclass(frozen=True)
class Cost:
    """One run: seconds, seconds, megabytes."""

    processor: float
    wall: float
    memory: float


def run(ini: Path, command: str) -> Cost:
    """Run one command in the project's folder, with the bytecode that is there."""
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.chdir(ini.parent)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.execv(sys.executable, [sys.executable, *COMMANDS[command]])
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"alembic {command} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss / 1024)


def measure(revisions: int, rounds: int) -> bool:
    """Print one table; whether every limit was kept."""
    with tempfile.TemporaryDirectory() as folder:
        ini = write_project(Path(folder) / "project", revisions)
        alembic(ini, "upgrade", "head")
        costs: dict[str, list[Cost]] = {command: [] for command in COMMANDS}
        for _ in range(rounds):
            for command in COMMANDS:
                costs[command].append(run(ini, command))
    print(f"{revisions} revisions, SQLite at head, {rounds} rounds")
    for command, several in costs.items():
        processor, wall, memory = (
            statistics.median(getattr(cost, name) for cost in several)
            for name in ("processor", "wall", "memory")
        )
        print(
            f"  alembic {command:8} processor {processor:5.2f} s   wall {wall:5.2f} s   memory {memory:4.0f} MB"
        )
    kept = True
    for command, limit in LIMITS[revisions].items():
        pairs = zip(costs["doctor"], costs[command], strict=True)
        ratio = statistics.median(ours.processor / theirs.processor for ours, theirs in pairs)
        kept = kept and ratio <= limit
        print(f"  doctor / {command:8} {ratio:.2f}   (limit {limit})")
    if revisions == max(LIMITS):
        pairs = zip(costs["doctor"], costs["current"], strict=True)
        ratio = statistics.median(ours.memory / theirs.memory for ours, theirs in pairs)
        kept = kept and ratio <= MEMORY_LIMIT
        print(f"  doctor / current  {ratio:.2f} of its memory   (limit {MEMORY_LIMIT})")
    return kept


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    kept = [measure(revisions, rounds) for revisions in LIMITS]
    raise SystemExit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
