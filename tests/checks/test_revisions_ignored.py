"""AX602 speaks of rules that hide revision files, and names the rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alembic_ext.checks.revisions_ignored import check, find
from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles, UnreadableFile, read_revision_files
from alembic_ext.facts.version_control import HiddenFile, Repository, VersionControl, read_version_control
from alembic_ext.findings import Finding, Severity
from tests.git_repository import GitRepository, revision_text

SHOP = Path("/shop")
VERSIONS = SHOP / "alembic/versions"


def hidden(name: str, **more: Any) -> HiddenFile:
    rule = {"tool": "git", "rule_path": SHOP / ".gitignore", "rule_line": 3, "rule": "versions/"}
    kept_by = ("!/alembic/versions/",)
    return HiddenFile(path=VERSIONS / f"{name}.py", location=VERSIONS, **{**rule, "kept_by": kept_by, **more})


def findings(*hidden_files: HiddenFile) -> list[Finding]:
    git = Repository(top=SHOP, git_dir=SHOP / ".git", common_dir=SHOP / ".git")
    files = RevisionFiles(
        script_location=VERSIONS.parent,
        files=(RevisionFile(path=VERSIONS / "a1.py", location=VERSIONS, revision="a1"),),
        unreadable=(UnreadableFile(path=VERSIONS / "b2.py", reason=""),),
    )
    return list(find(VersionControl(repositories=(git,), hidden=hidden_files), files))


def test_without_a_rule_it_is_silent() -> None:
    assert findings() == []


def test_a_hidden_file_that_is_no_revision_is_nobody_s_business() -> None:
    assert findings(hidden("helper")) == []


def test_one_rule_is_one_finding() -> None:
    (finding,) = findings(hidden("0000_new", new=True), hidden("a1"), hidden("b2"))

    assert finding.summary == (
        ".gitignore, line 3 (`versions/`) hides 2 revision files and every new revision from git."
    )
    assert finding.next_actions[0].label == "Narrow the rule, or add below it: !/alembic/versions/"
    assert (finding.code, finding.severity, finding.subject) == ("AX602", Severity.WARNING, "versions/")
    assert (finding.location.path, finding.location.line) == (SHOP / ".gitignore", 3)
    assert finding.evidence == {
        "tool": "git",
        "rule": "versions/",
        "rule_path": str(SHOP / ".gitignore"),
        "rule_line": 3,
        "locations": [str(VERSIONS)],
        "new_revisions": True,
        "files": [str(VERSIONS / "a1.py"), str(VERSIONS / "b2.py")],
    }


def test_a_rule_that_hides_one_file_says_so() -> None:
    (finding,) = findings(hidden("a1", rule="a*", rule_path=None, rule_line=None))

    assert finding.summary == "An ignore rule (`a*`) hides 1 revision file from git."
    assert finding.evidence["new_revisions"] is False
    assert finding.next_actions[0].label == "Narrow the rule so that it keeps these files."


def test_a_rule_of_the_user_is_named_in_full() -> None:
    (finding,) = findings(hidden("0000_new", new=True, rule_path=Path("/home/ann/ignore")))

    assert finding.summary.startswith("/home/ann/ignore, line 3 (`versions/`)")
    assert finding.next_actions[0].label.endswith("the repository: !/alembic/versions/")


def test_a_rule_that_hides_only_what_is_to_come_says_so() -> None:
    (finding,) = findings(hidden("0000_new", new=True))

    assert finding.summary.endswith("hides every new revision from git.")


def test_git_and_docker_are_told_apart() -> None:
    rule = {"tool": "docker", "rule_path": SHOP / ".dockerignore", "rule_line": 1, "rule": "**/versions"}
    first, second = findings(hidden("a1"), hidden("a1", **rule))

    assert "never committed" in first.why
    assert "image" in second.why


@pytest.mark.parametrize(
    ("file", "hides", "keeps"),
    [
        (".gitignore", "versions/\n", "versions/\n!alembic/versions/\n"),
        (".dockerignore", "alembic\n", "*\n!alembic\n"),
    ],
)
def test_it_speaks_until_the_rule_keeps_the_folder(tmp_path: Path, file: str, hides: str, keeps: str) -> None:
    repository = GitRepository.create(tmp_path)
    location = repository.write("alembic/versions/a1.py", revision_text("a1")).parent

    def look() -> list[str]:
        version_control = read_version_control(tmp_path, [location])
        assert isinstance(version_control, VersionControl)
        return [one.code for one in find(version_control, read_revision_files(location.parent, [location]))]

    repository.write(file, hides)
    assert look() == ["AX602"]
    repository.write(file, keeps)
    assert look() == []


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        (".gitignore", "alembic/versions/*.py"),
        (".gitignore", "versions/"),
        (".gitignore", "alembic/"),
        (".gitignore", "alembic/*"),
        (".gitignore", "*"),
        (".gitignore", "*.py"),
        ("alembic/.gitignore", "versions"),
        ("alembic/versions/.gitignore", "*"),
        (".git/info/exclude", "versions/"),
        (".dockerignore", "alembic/versions/*.py"),
        (".dockerignore", "alembic"),
        ("excludes of the user", "*.py"),
    ],
)
def test_the_lines_it_proposes_keep_the_files(tmp_path: Path, file: str, rule: str) -> None:
    """git itself is asked: `!folder/` alone does not undo a rule about the files in it."""
    repository = GitRepository.create(tmp_path)
    location = repository.write("alembic/versions/a1.py", revision_text("a1")).parent
    if file == "excludes of the user":
        repository.git("config", "core.excludesFile", str(tmp_path.parent / f"{tmp_path.name}.excludes"))
        file = f"../{tmp_path.name}.excludes"

    def look() -> list[Finding]:
        version_control = read_version_control(tmp_path, [location])
        assert isinstance(version_control, VersionControl)
        return list(find(version_control, read_revision_files(location.parent, [location])))

    repository.write(file, f"{rule}\n")
    (finding,) = look()
    words, _, lines = finding.next_actions[0].label.partition(": ")
    below = file if "below it" in words else ".gitignore"
    text = (tmp_path / below).read_text() if (tmp_path / below).exists() else ""
    repository.write(below, text + "".join(f"{line}\n" for line in lines.split(" and ")))

    assert look() == []
    if "docker" not in file:
        repository.git("add", "--", str(location / "a1.py"))


def test_the_check_asks_for_project_facts_only() -> None:
    assert check.parameters == ("version_control", "revision_files")
