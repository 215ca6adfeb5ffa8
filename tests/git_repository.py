"""Real git repositories for tests, written by the git executable with fixed names and times."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}
"""No configuration of the machine that runs the tests."""


@dataclass
class GitRepository:
    """A working tree. Every commit is one minute after the one before."""

    path: Path
    seconds: int = field(default=1_700_000_000)

    @classmethod
    def create(cls, path: Path) -> GitRepository:
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    def git(self, *arguments: str) -> str:
        date = f"{self.seconds} +0000"
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.path,
            env={**os.environ, **ENVIRONMENT, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
            check=True,
            capture_output=True,
        )
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, name: str, text: str = "") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self, subject: str = "change") -> str:
        """Commit everything that is there; the commit's id."""
        self.seconds += 60
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")


def revision_text(revision: str, down_revision: str | None = None, *, message: str = "change") -> str:
    """A revision file as Alembic's own template writes it."""
    return (
        f'"""{message}\n\nRevision ID: {revision}\nRevises: {down_revision or ""}\n"""\n\n'
        "from alembic import op\n"
        "import sqlalchemy as sa\n\n\n"
        f'revision = "{revision}"\n'
        f"down_revision = {down_revision!r}\n"
        "branch_labels = None\ndepends_on = None\n\n\n"
        "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"
    )


def listing(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything below a folder, with modification times and contents; folders too, for they show lock files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (
            state.st_mtime_ns,
            state.st_size if content else 0,
            hashlib.sha256(content).hexdigest(),
        )
    return found
