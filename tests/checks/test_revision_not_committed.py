"""AX601 speaks of revision files that git does not hold as they are, and of nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from alembic_ext.checks.revision_not_committed import check, find
from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles, UnreadableFile, read_revision_files
from alembic_ext.facts.version_control import (
    Repository,
    UncommittedFile,
    VersionControl,
    read_version_control,
)
from alembic_ext.findings import Safety, Severity
from tests.git_repository import GitRepository, revision_text

VERSIONS = Path("/shop/alembic/versions")


def control(**states: str) -> VersionControl:
    git = Repository(
        top=Path("/shop"),
        git_dir=Path("/shop/.git"),
        common_dir=Path("/shop/.git"),
        branch="main",
        head="f00",
    )
    files = tuple(
        UncommittedFile(path=VERSIONS / f"{name}.py", state=state) for name, state in states.items()
    )
    return VersionControl(repositories=(git,), uncommitted=files)


def files(*names: str, unreadable: tuple[str, ...] = ()) -> RevisionFiles:
    return RevisionFiles(
        script_location=VERSIONS.parent,
        locations=(VERSIONS,),
        files=tuple(
            RevisionFile(path=VERSIONS / f"{name}.py", location=VERSIONS, revision=name) for name in names
        ),
        unreadable=tuple(UnreadableFile(path=VERSIONS / f"{name}.py", reason="") for name in unreadable),
    )


def test_committed_files_are_fine() -> None:
    assert list(find(control(), files("a1", "b2"))) == []


def test_files_that_are_no_revisions_are_nobody_s_business() -> None:
    """A helper module, or a folder that is not searched."""
    assert list(find(control(helper="untracked"), files("a1"))) == []


def test_a_deleted_file_is_not_an_uncommitted_one() -> None:
    assert list(find(control(a1="deleted"), files("a1"))) == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("untracked", "not in git"),
        ("added", "staged, never committed"),
        ("modified", "changed since the last commit"),
        ("conflicted", "in conflict"),
    ],
)
def test_each_state_is_named(state: str, words: str) -> None:
    (finding,) = find(control(a1=state), files("a1"))

    assert finding.summary == f"The revision file a1.py is not committed ({words})."
    assert (finding.code, finding.severity, finding.repair.safety) == (
        "AX601",
        Severity.WARNING,
        Safety.MANUAL,
    )
    assert finding.location.path == VERSIONS / "a1.py"
    assert finding.evidence == {
        "branch": "main",
        "head": "f00",
        "files": [{"path": str(VERSIONS / "a1.py"), "revision": "a1", "state": state}],
    }


def test_several_files_are_one_finding() -> None:
    (finding,) = find(control(a1="untracked", b2="modified"), files("a1", "b2"))

    assert finding.summary == "2 revision files are not committed."
    assert finding.subject == "a1.py and 1 more"
    assert finding.details == ("a1.py: not in git", "b2.py: changed since the last commit")


def test_a_file_that_cannot_be_read_counts_too() -> None:
    (finding,) = find(control(a1="conflicted"), files(unreadable=("a1",)))

    assert finding.evidence["files"][0]["revision"] is None


def test_the_printed_command_is_the_one_that_helps(tmp_path: Path) -> None:
    """Before the commit it speaks, its command can be pasted, and after the commit it is silent."""
    repository = GitRepository.create(tmp_path / "a shop")
    location = repository.write("versions/a1_建表.py", revision_text("a1")).parent

    def look() -> list[str | None]:
        version_control = read_version_control(repository.path, [location])
        assert isinstance(version_control, VersionControl)
        findings = find(version_control, read_revision_files(repository.path, [location]))
        return [finding.next_actions[0].command for finding in findings]

    (command,) = look()
    assert command is not None
    git, *arguments = shlex.split(command)
    repository.git(*arguments)
    assert look() != []  # staged is not committed
    repository.git("commit", "--quiet", "--message", "first")

    assert (git, look()) == ("git", [])


def test_the_check_asks_for_project_facts_only() -> None:
    assert check.parameters == ("version_control", "revision_files")
