"""Fill in those parts of the documentation that the program itself can say.

    python docs/regenerate.py           write them
    python docs/regenerate.py --check   name what is out of date, and end with 1

Needs the package in the environment that runs it. What it fills in:

- in Markdown files, the block after ``<!-- output of: COMMAND -->`` or ``<!-- output of: COMMAND; in: STATE -->``,
  where the command runs in a copy of the sample project in one of the states below;
- the table after ``<!-- table of checks -->``;
- ``docs/checks/``, one page for each check, from the check's docstring.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

from alembic_ext.checks import Check, registered_checks
from alembic_ext.report.explain import documentation, first_line

CHECKOUT = Path(__file__).resolve().parent.parent
PAGES = CHECKOUT / "docs" / "checks"
OUTPUT = re.compile(
    r"(<!-- output of: (?P<command>[^;]+?)(?:; in: (?P<state>\S+))? -->\n)(```console\n.*?```\n)?", re.DOTALL
)
TABLE = re.compile(r"(<!-- table of checks -->\n).*?(<!-- end of table -->)", re.DOTALL)
VARYING = (
    (re.compile(r"\b\d+\.\d+ s\b"), "0.4 s"),  # how long it took
    (re.compile(r"(-\w) [A-Z_]+, (--[\w-]+ )"), r"\1, \2"),  # Python 3.13 writes options in a shorter way
    (re.compile(r"\balembic \d+\.\d+(?:\.\d+)?\b"), "alembic 1.20.1"),
)


def main() -> None:
    stale = [path for path, text in generated() if not same(path, text)]
    pages = {page_of(check) for check in registered_checks()}
    extra = [path for path in PAGES.glob("AX*.md") if path not in pages]
    if "--check" in sys.argv[1:]:
        for path in [*stale, *extra]:
            print(f"out of date: {path.relative_to(CHECKOUT)}   (run docs/regenerate.py)")
        raise SystemExit(1 if stale or extra else 0)
    PAGES.mkdir(exist_ok=True)
    for path, text in generated():
        if path in stale:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(CHECKOUT)}")
    for path in extra:
        path.unlink()
        print(f"removed: {path.relative_to(CHECKOUT)}")


def generated() -> list[tuple[Path, str]]:
    """Every file with something generated in it, as it should be."""
    pages = [(page_of(check), page(check)) for check in registered_checks()]
    with tempfile.TemporaryDirectory(prefix="alembic-ext-docs-") as folder:
        projects = Projects(Path(folder))
        documents = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
        return pages + [
            (path, filled(path.read_text(encoding="utf-8"), projects, path)) for path in documents
        ]


def same(path: Path, text: str) -> bool:
    """The file says this already, apart from what differs between two runs."""
    return path.exists() and settled(path.read_text(encoding="utf-8")) == settled(text)


def settled(text: str) -> str:
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    return re.sub(r" +", " ", text)


def filled(text: str, projects: Projects, path: Path) -> str:
    def block(match: re.Match[str]) -> str:
        command = match["command"]
        output = projects.run(command, match["state"] or "healthy")
        return f"{match[1]}```console\n$ {command}\n{output}```\n"

    table = checks_table(Path(os.path.relpath(PAGES, path.parent)).as_posix())
    return TABLE.sub(lambda match: f"{match[1]}{table}{match[2]}", OUTPUT.sub(block, text))


def checks_table(pages: str) -> str:
    rows = [
        f"| [{check.code}]({pages}/{check.code}.md) | {check.slug} | {check.severity.value} | {check.safety.value} "
        f"| {first_line(check).removesuffix(':')} |\n"
        for check in registered_checks()
    ]
    return "".join(["| code | name | severity | repair | what it does |\n|---|---|---|---|---|\n", *rows])


def page_of(check: Check) -> Path:
    return PAGES / f"{check.code}.md"


def page(check: Check) -> str:
    return (
        f"# {check.code} {check.slug}\n\nSeverity: {check.severity.value}. Strongest repair: {check.safety.value}.\n\n"
        f"{documentation(check).strip()}\n"
    )


class Projects:
    """Copies of the sample project, each in a state that the documentation shows; made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, state: str) -> str:
        """What a command says in that project. Where the project lies is shown as ``~/shop``."""
        root = self.folder / state / "shop"
        if not root.exists():
            shutil.copytree(
                CHECKOUT / "alembic", root / "alembic", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )
            for name in ("alembic.ini", "config.yaml", "run_alembic.py"):
                shutil.copy(CHECKOUT / name, root)
            (root / "data").mkdir()
            STATES[state](root)
        done = execute(command.split(), root)
        if not done.stdout:
            raise SystemExit(f"{command} says nothing in this environment:\n{done.stderr}")
        return re.sub(rf"(?:/private)?{re.escape(str(root))}", "~/shop", done.stdout)


def execute(command: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    scripts = sysconfig.get_path("scripts")
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in {"CONFIG_FILE", "ALEMBIC_CONFIG"} and not name.startswith("GIT_")
    }
    variables |= {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TZ": "UTC",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Lin",
        "GIT_AUTHOR_EMAIL": "lin@example.org",
        "GIT_COMMITTER_NAME": "Lin",
        "GIT_COMMITTER_EMAIL": "lin@example.org",
        "GIT_AUTHOR_DATE": "2026-03-02T10:15:00+00:00",
        "GIT_COMMITTER_DATE": "2026-03-02T10:15:00+00:00",
    }
    program = shutil.which(command[0], path=variables["PATH"]) or command[0]
    return subprocess.run(
        [command[0], *command[1:]],
        executable=program,
        cwd=root,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def healthy(root: Path) -> None:
    """Everything is applied, everything is committed."""
    must(root, "alembic upgrade head")
    (root / ".gitignore").write_text("/data/\n__pycache__/\n")
    must(root, "git init -q -b main", "git add --all", "git commit -q -m shop")


def other_branch(root: Path) -> None:
    """The database was upgraded on a branch; then somebody went back to ``main``."""
    healthy(root)
    must(root, "git switch -q -c feature/reviews")
    revision = root / "alembic" / "versions" / "5d90e7a1c3b6_add_reviews.py"
    revision.write_text(
        '"""add reviews\n\nRevision ID: 5d90e7a1c3b6\nRevises: c6f2091d8e57\nCreate Date: 2026-03-02 10:11:12\n\n"""\n\n'
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        'revision = "5d90e7a1c3b6"\ndown_revision = "c6f2091d8e57"\nbranch_labels = None\ndepends_on = None\n\n\n'
        "def upgrade() -> None:\n"
        '    op.create_table("reviews", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("text", sa.Text()))\n\n\n'
        'def downgrade() -> None:\n    op.drop_table("reviews")\n'
    )
    must(root, "alembic upgrade head", "git add --all", "git commit -q -m reviews", "git switch -q main")


def fresh(root: Path) -> None:
    """Nothing was done yet."""


STATES: dict[str, Callable[[Path], None]] = {"healthy": healthy, "other-branch": other_branch, "fresh": fresh}


def must(root: Path, *commands: str) -> None:
    for command in commands:
        done = execute(command.split(), root)
        if done.returncode:
            raise SystemExit(f"{command} failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
