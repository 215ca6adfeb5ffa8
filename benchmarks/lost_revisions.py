"""How long the search for lost revisions takes in a long history, and that it finds all six hiding places.

    python benchmarks/lost_revisions.py [COMMITS]

20,000 synthetic commits (about 40,000 blobs) are written with ``git fast-import``. Six revision files are then
lost in six ways: deleted on the main branch, on a branch that was deleted (no reflog), in a stash, reset away
(reflog), only staged, and one is still on an unmerged branch. One search answers for all of them.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_ext.facts.lost_revisions import find_lost_revisions
from alembic_ext.facts.version_control import VersionControl, read_version_control

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = "alembic/versions"
EXPECTED = {
    "deleted00000": "deleted",
    "branch000000": "other-branch",
    "unreachable0": "other-branch",
    "stashed00000": "never-committed",
    "reset0000000": "other-branch",
    "staged000000": "never-committed",
}
ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{who}_{what}": "ann@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
}


def revision_text(revision: str) -> str:
    return (
        f'"""Change {revision}"""\n\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
        f'revision = "{revision}"\ndown_revision = "before"\nbranch_labels = None\ndepends_on = None\n\n\n'
        f'def upgrade() -> None:\n    op.create_table("t_{revision}", sa.Column("id", sa.Integer, primary_key=True))\n'
    )


def history(commits: int) -> Iterator[bytes]:
    """A fast-import stream: every commit changes a module of the application and adds or changes another file."""
    for number in range(commits):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        yield b"commit refs/heads/main\ncommitter Ann <ann@example.org> %d +0000\ndata 6\nchange\n" % (
            1_500_000_000 + number * 600
        )
        module = "\n".join(f"value_{line} = '{digest}{line}'" for line in range(20))
        yield from _file(f"app/package_{number % 500}/module_{number % 17}.py", module)
        if number % 10:
            yield from _file(f"docs/page_{number % 300}.txt", digest * 30)
        else:
            yield from _file(f"{VERSIONS}/{digest[:12]}_change.py", revision_text(digest[:12]))


def _file(path: str, text: str) -> Iterator[bytes]:
    data = text.encode()
    yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)


def git(top: Path, *arguments: str, words: bytes = b"") -> None:
    subprocess.run(
        ["git", "-C", str(top), *arguments],
        check=True,
        env=ENVIRONMENT,
        input=words,
        stdout=subprocess.DEVNULL,
    )


def hide(top: Path) -> None:
    """Lose six files in six ways."""

    def write(revision: str) -> str:
        path = f"{VERSIONS}/{revision}_lost.py"
        (top / path).write_text(revision_text(revision))
        git(top, "add", path)
        return path

    def commit() -> None:
        git(top, "commit", "--quiet", "--message", "change")

    path = write("deleted00000")
    commit()
    git(top, "rm", "--quiet", path)
    commit()
    for revision in ("branch000000", "unreachable0"):
        git(top, "checkout", "--quiet", "-b", revision)
        write(revision)
        commit()
        git(top, "checkout", "--quiet", "main")
    git(top, "branch", "--quiet", "-D", "unreachable0")
    git(top, "reflog", "expire", "--expire=now", "--all")
    write("reset0000000")
    commit()
    git(top, "reset", "--quiet", "--hard", "HEAD~1")
    write("stashed00000")
    git(top, "stash", "push", "--quiet")
    git(top, "rm", "--quiet", "--force", write("staged000000"))


def main(commits: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        git(top, "init", "--quiet", "--initial-branch=main")
        git(top, "fast-import", "--quiet", words=b"".join(history(commits)))
        git(top, "reset", "--quiet", "--hard")
        hide(top)
        locations = [top / VERSIONS]
        started = time.perf_counter()
        control = read_version_control(top, locations)
        asked = time.perf_counter() - started
        assert isinstance(control, VersionControl), control
        times, before = [], os.times()
        for _ in range(5):
            started = time.perf_counter()
            found = find_lost_revisions(
                control,
                [*EXPECTED, "nowhere00000"],
                root=top,
                script_location=top / "alembic",
                locations=locations,
            )
            times.append(time.perf_counter() - started)
        after = os.times()
        cases = {name: answer.case for name, answer in found.items()}
        assert cases == {**EXPECTED, "nowhere00000": None}, cases
        assert all(answer.complete for answer in found.values())
    print(f"{commits:,} commits: all of {len(EXPECTED)} lost files found in one search")
    used = sum(after[:4]) - sum(before[:4])
    print(f"read_version_control  {asked * 1000:7.0f} ms")
    print(f"find_lost_revisions   {statistics.median(times) * 1000:7.0f} ms, median of {len(times)}")
    print(f"  of processor time   {used / len(times) * 1000:7.0f} ms, git's own included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20_000)
