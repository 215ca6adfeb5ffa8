"""What the documentation shows is what the program does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import alembic_ext
from alembic_ext.checks import registered_checks
from tests.project import Project, environment

CHECKOUT = Path(__file__).parent.parent
DOCUMENTS = [
    path.relative_to(CHECKOUT).as_posix()
    for path in (*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md"))
]


def regenerate(checkout: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run docs/regenerate.py from somewhere else."""
    return subprocess.run(
        [sys.executable, str(checkout / "docs" / "regenerate.py"), *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documentation and the sample project, to be changed."""
    root = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("docs", "alembic"):
        shutil.copytree(CHECKOUT / folder, root / folder, ignore=ignore)
    for name in ("README.md", "alembic.ini", "config.yaml", "run_alembic.py"):
        shutil.copy(CHECKOUT / name, root)
    return root


def test_the_documentation_is_current(tmp_path: Path) -> None:
    done = regenerate(CHECKOUT, "--check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stale_documentation_is_noticed_and_mended(copy: Path, tmp_path: Path) -> None:
    """A comparison that cannot fail would be worth nothing."""
    assert regenerate(copy, cwd=tmp_path).returncode == 0
    readme, page = copy / "README.md", copy / "docs" / "checks" / "AX301.md"
    before = readme.read_text(encoding="utf-8")
    readme.write_text(
        before.replace("$ alembic doctor\n", "$ alembic doctor\nAn old line.\n", 1), encoding="utf-8"
    )
    page.write_text("# An old page\n")
    (page.parent / "AX999.md").write_text("# A check that is gone\n")

    done = regenerate(copy, "--check", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert sorted(line.split()[3] for line in done.stdout.splitlines()) == [
        "README.md",
        "docs/checks/AX301.md",
        "docs/checks/AX999.md",
    ]

    assert regenerate(copy, cwd=tmp_path).returncode == 0
    assert regenerate(copy, "--check", cwd=tmp_path).returncode == 0
    assert "An old line." not in readme.read_text(encoding="utf-8")


def test_each_check_has_a_page_and_each_page_a_check() -> None:
    pages = {path.stem for path in (CHECKOUT / "docs" / "checks").glob("*.md")}
    assert pages == {check.code for check in registered_checks()}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = CHECKOUT / document
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8"))
    in_the_package = [target for target in targets if "alembic_ext/" in target]
    package = Path(alembic_ext.__file__).parent

    assert [
        target for target in targets if target not in in_the_package and not (path.parent / target).exists()
    ] == []
    assert [
        target for target in in_the_package if not (package / target.partition("alembic_ext/")[2]).exists()
    ] == []


def test_the_python_of_the_readme_runs(copy: Path) -> None:
    shop = Project(copy, f"sqlite:///{copy / 'data' / 'shop.db'}", "alembic")
    (copy / "data").mkdir()
    shop.alembic("upgrade", "head").expect()
    blocks = re.findall(
        r"^```python\n(.*?)^```", (copy / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    (block,) = [block for block in blocks if "doctor(" in block]

    assert shop.execute(sys.executable, "-c", block).expect().stdout == "True []\n"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_path_of_a_machine_is_shown(document: str) -> None:
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.~])/(?:tmp|home|root|work|opt|Users|private)/\S*", text) == []
