"""AX601 speaks of revision files that git does not hold as they are, and of nothing else."""

from __future__ import annotations

import shlex
from dataclasses import replace
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


def test_a_file_that_is_to_be_mended_is_left_out() -> None:
    """AX202 names what cannot be read, AX203 what repeats an id: nobody should commit such a file."""
    assert list(find(control(a1="conflicted", b2="untracked"), files(unreadable=("a1", "b2")))) == []
    copy = replace(files("a1").files[0], path=VERSIONS / "a1 copy.py")
    twice = replace(files("a1"), files=(*files("a1").files, copy))
    assert list(find(control(**{"a1 copy": "untracked"}), twice)) == []

    (finding,) = find(control(b2="untracked", a1="untracked"), files("a1", unreadable=("b2",)))

    assert [file["revision"] for file in finding.evidence["files"]] == ["a1"]


def test_a_conflict_is_resolved_before_anything_is_added() -> None:
    (finding,) = find(control(a1="conflicted"), files("a1"))

    assert [(action.kind, action.command) for action in finding.next_actions] == [("edit-file", None)]
    assert finding.next_actions[0].label.startswith("Resolve the conflict in a1.py first")


def test_many_files_make_a_short_finding() -> None:
    names = [f"r{number}" for number in range(3000)]
    (finding,) = find(control(**dict.fromkeys(names, "untracked")), files(*names))

    assert len(finding.evidence["files"]) == 3000
    assert (len(finding.details), finding.details[-1]) == (9, "... and 2992 more")
    assert [action.command for action in finding.next_actions] == [f"git -C {VERSIONS} add -- '*.py'"]


def test_a_change_is_looked_at_before_it_is_added() -> None:
    """It may be what broke the history: an id that was overwritten, for one."""
    (finding,) = find(control(a1="modified"), files("a1"))

    assert finding.next_actions[0].label.startswith("Look at what was changed")


def test_files_of_several_locations_are_added_by_one_action() -> None:
    other = Path("/shop/billing/versions")
    known = files("a1", "b2")
    moved = replace(known.files[1], path=other / "b2.py", location=other)
    both = replace(
        control(a1="untracked"),
        uncommitted=(
            UncommittedFile(path=VERSIONS / "a1.py", state="untracked"),
            UncommittedFile(path=other / "b2.py", state="untracked"),
        ),
    )
    (finding,) = find(both, replace(known, files=(known.files[0], moved)))

    assert [action.command for action in finding.next_actions] == [
        f"git -C {VERSIONS} add -- a1.py\ngit -C {other} add -- b2.py"
    ]


def test_many_files_are_not_added_together_with_broken_ones() -> None:
    names = [f"r{number}" for number in range(20)]
    (finding,) = find(control(**dict.fromkeys(names, "untracked")), files(*names, unreadable=("a1",)))

    assert [action.command for action in finding.next_actions] == [None]


@pytest.mark.parametrize("count", [1, 12])
def test_the_printed_command_is_the_one_that_helps(tmp_path: Path, count: int) -> None:
    """Before the commit it speaks, its command can be pasted, and after the commit it is silent."""
    repository = GitRepository.create(tmp_path / "a shop")
    location = repository.path / "versions"
    for number in range(count):
        repository.write(f"versions/a{number}_建表.py", revision_text(f"a{number}"))

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
