"""Every place where a lost revision file can still be, and what that says about how it was lost."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from alembic_ext.facts import NotApplicable, Unavailable, git_objects, lost_revisions
from alembic_ext.facts.lost_revisions import LostRevision, Place, decide_case, find_lost_revisions
from alembic_ext.facts.version_control import read_version_control
from tests.git_repository import ENVIRONMENT, GitRepository, revision_text

VERSIONS = "alembic/versions"
LOST = f"{VERSIONS}/zz99_lost.py"
TEXT = revision_text("zz99", "a1", message="Add coupons")


@pytest.fixture(autouse=True)
def _no_git_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, ENVIRONMENT[name])


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    repository = GitRepository.create(tmp_path / "project")
    repository.write("alembic/env.py")
    repository.write(f"{VERSIONS}/a1_first.py", revision_text("a1"))
    repository.commit("first")
    return repository


def search(
    root: Path, ids: Sequence[str] = ("zz99",), *, time_limit: float = 30.0, locations: Sequence[Path] = ()
) -> dict[str, LostRevision]:
    places = list(locations) or [root / VERSIONS]
    control = read_version_control(root, places)
    found = find_lost_revisions(
        control, ids, root=root, script_location=root / "alembic", locations=places, time_limit=time_limit
    )
    return dict(found)


def lost(root: Path) -> LostRevision:
    return search(root)["zz99"]


def the_place(root: Path) -> Place:
    (place,) = lost(root).places
    return place


# Six hiding places, and more ---------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_is(repository: GitRepository) -> None:
    assert lost(repository.path) == LostRevision(id="zz99")


def test_a_deleted_file_is_found_with_the_commit_that_deleted_it(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    added = repository.commit("add coupons")
    repository.git("rm", "--quiet", LOST)
    deleted = repository.commit("tidy up")

    found = lost(repository.path)

    (place,) = found.places
    assert (found.case, found.complete, found.reason) == ("deleted", True, None)
    assert (place.kind, place.path, place.down_revisions, place.message) == (
        "commit",
        LOST,
        ("a1",),
        "Add coupons",
    )
    assert place.commit is not None
    assert (place.commit.id, place.commit.author, place.commit.subject) == (added, "Ann", "add coupons")
    assert place.commit.date.isoformat() == "2023-11-14T22:15:20+00:00"
    assert place.deleted_by is not None
    assert place.deleted_by.id == deleted
    assert (place.branches, place.in_head, place.still_in_head) == (("main",), True, False)
    assert place.blob == repository.git("rev-parse", f"{added}:{LOST}")


def test_a_file_deleted_only_on_disk_is_still_in_head(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit()
    (repository.path / LOST).unlink()

    found = lost(repository.path)

    assert found.case == "deleted"
    assert (found.places[0].still_in_head, found.places[0].deleted_by) == (True, None)


def test_a_file_whose_id_was_changed_is_deleted_too(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit()
    repository.write(LOST, TEXT.replace("zz99", "zz100"))
    edited = repository.commit("another id")

    found = lost(repository.path)

    assert found.case == "deleted"
    assert found.places[0].deleted_by is not None
    assert found.places[0].deleted_by.id == edited


def test_a_file_whose_id_was_changed_on_disk_is_found_where_it_was(repository: GitRepository) -> None:
    """HEAD has it, Alembic loads the file, and the id is gone all the same."""
    repository.write(LOST, TEXT)
    repository.commit()
    repository.write(LOST, TEXT.replace("zz99", "zz100"))

    found = lost(repository.path)

    assert (found.case, found.places[0].path) == ("deleted", LOST)
    assert (found.places[0].still_in_head, found.places[0].occupied) == (True, True)
    assert found.places[0].restoring_command is None


def test_the_command_that_restores_a_file_restores_it(repository: GitRepository) -> None:
    path = repository.write(LOST, TEXT)
    repository.commit()
    path.unlink()

    command = lost(repository.path).places[0].restoring_command

    assert command is not None
    subprocess.run(["sh", "-c", command], check=True)
    assert path.read_text(encoding="utf-8") == TEXT


def test_a_repository_of_another_user_is_named_with_what_makes_it_readable(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    found = lost(repository.path)

    assert (found.reason or "").startswith("git was not searched: ")
    assert found.remedy == f"git config --global --add safe.directory {repository.path}"


def test_every_version_of_a_file_is_a_place_the_newest_first(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    first = repository.commit()
    repository.write(LOST, TEXT + "# better\n")
    second = repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.commit()

    assert [place.commit.id for place in lost(repository.path).places if place.commit] == [second, first]


def test_a_merge_brings_no_place_of_its_own(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(LOST, TEXT)
    added = repository.commit("add coupons")
    repository.git("checkout", "--quiet", "main")
    repository.commit("meanwhile")
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    repository.git("rm", "--quiet", LOST)
    repository.commit("tidy up")

    place = the_place(repository.path)

    assert place.commit is not None
    assert place.commit.id == added
    assert place.deleted_by is not None
    assert place.deleted_by.subject == "tidy up"


def test_a_file_that_only_a_merge_holds_is_found(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.commit("theirs")
    repository.git("checkout", "--quiet", "main")
    repository.commit("ours")
    repository.git("merge", "--quiet", "--no-ff", "--no-commit", "feature")
    repository.write(LOST, TEXT)
    merge = repository.commit("merge, and a revision")
    repository.git("rm", "--quiet", LOST)
    repository.commit()

    found = lost(repository.path)

    assert found.case == "deleted"
    assert found.places[0].commit is not None
    assert found.places[0].commit.id == merge


def test_an_unmerged_branch_is_named(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature/coupons")
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("tag", "try-it")
    repository.git("checkout", "--quiet", "main")

    found = lost(repository.path)

    assert found.case == "other-branch"
    assert (found.places[0].branches, found.places[0].tags) == (("feature/coupons",), ("try-it",))
    assert (found.places[0].in_head, found.places[0].ahead) == (False, False)


def test_a_deleted_branch_is_found_while_the_reflog_remembers(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("checkout", "--quiet", "main")
    repository.git("branch", "--quiet", "-D", "feature")

    found = lost(repository.path)

    assert (found.case, found.places[0].kind, found.places[0].path) == ("other-branch", "reflog", LOST)


def test_a_commit_that_nothing_leads_to_is_found(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(LOST, TEXT)
    commit = repository.commit("add coupons")
    repository.commit("more")
    repository.git("checkout", "--quiet", "main")
    repository.git("branch", "--quiet", "-D", "feature")
    repository.git("reflog", "expire", "--expire=now", "--all")

    found = lost(repository.path)

    assert (found.case, found.places[0].kind, found.places[0].path) == ("other-branch", "unreachable", LOST)
    assert found.places[0].commit is not None
    assert found.places[0].commit.id == commit


def test_a_commit_that_was_reset_away_is_found(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("reset", "--quiet", "--hard", "HEAD~1")

    found = lost(repository.path)

    assert (found.case, found.places[0].kind) == ("other-branch", "reflog")


def test_a_stashed_new_file_is_found(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.git("stash", "push", "--quiet", "--include-untracked")

    found = lost(repository.path)

    assert (found.case, found.places[0].kind) == ("never-committed", "stash")
    assert (found.places[0].path, found.places[0].stash) == (LOST, "stash@{0}")


def test_an_older_stash_is_found(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.git("stash", "push", "--quiet", "--include-untracked")
    repository.write("another")
    repository.git("stash", "push", "--quiet", "--include-untracked")

    assert the_place(repository.path).stash == "stash@{1}"


def test_a_stashed_change_of_a_committed_file_is_found(repository: GitRepository) -> None:
    repository.write(f"{VERSIONS}/a1_first.py", TEXT)
    repository.git("stash", "push", "--quiet")

    found = lost(repository.path)

    assert (found.case, found.places[0].kind) == ("never-committed", "stash")
    assert (found.places[0].path, found.places[0].stash) == (f"{VERSIONS}/a1_first.py", "stash@{0}")


def test_a_dropped_stash_is_found(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.git("stash", "push", "--quiet", "--include-untracked")
    repository.git("stash", "drop", "--quiet")

    found = lost(repository.path)

    assert (found.case, found.places[0].kind) == ("never-committed", "dropped-stash")
    assert (found.places[0].path, found.places[0].stash) == (LOST, None)


def test_a_file_that_was_only_staged_is_found(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.git("add", LOST)
    (repository.path / LOST).unlink()

    found = lost(repository.path)

    assert (found.case, found.places[0].kind, found.places[0].path) == ("never-committed", "index", LOST)


def test_a_file_that_was_staged_once_is_found_without_its_name(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.git("add", LOST)
    repository.git("rm", "--quiet", "-f", LOST)

    found = lost(repository.path)

    assert (found.case, found.places[0].kind, found.places[0].path) == ("never-committed", "blob", None)


def test_an_untracked_file_of_another_working_tree_is_found(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "tree"))
    (tmp_path / "tree" / LOST).write_text(TEXT)

    found = lost(repository.path)

    assert (found.case, found.places[0].kind, found.places[0].root) == (
        "never-committed",
        "worktree",
        tmp_path / "tree",
    )


def test_the_main_working_tree_is_searched_from_a_linked_one(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "tree"))
    repository.write(LOST, TEXT)

    assert the_place(tmp_path / "tree").root == repository.path


def test_a_working_tree_inside_the_project_is_another_checkout(repository: GitRepository) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(repository.path / "trees/feature"))
    tree = GitRepository(repository.path / "trees/feature")
    tree.write(LOST, TEXT)
    tree.commit("add coupons")

    found = lost(repository.path)

    assert found.case == "other-branch"
    assert {place.kind for place in found.places} == {"commit", "worktree"}


def test_the_index_of_another_working_tree_is_searched(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "tree"))
    tree = GitRepository(tmp_path / "tree")
    tree.write(LOST, TEXT)
    tree.git("add", LOST)
    (tree.path / LOST).unlink()

    assert (the_place(repository.path).kind, the_place(repository.path).path) == ("index", LOST)


# Ahead of this checkout --------------------------------------------------------------------------------------


@pytest.fixture
def clone(repository: GitRepository, tmp_path: Path) -> GitRepository:
    """A clone of a repository that gains the revision after the clone was made; it is fetched, not merged."""
    repository.git("clone", "--quiet", str(repository.path), str(tmp_path / "clone"))
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    clone = GitRepository(tmp_path / "clone")
    clone.git("fetch", "--quiet")
    return clone


def test_the_upstream_of_the_branch_is_ahead(clone: GitRepository) -> None:
    found = lost(clone.path)

    assert (found.case, found.places[0].remote_branches) == ("database-ahead", ("origin/main",))
    assert found.places[0].ahead


def test_the_upstream_is_ahead_also_of_a_branch_with_commits_of_its_own(clone: GitRepository) -> None:
    clone.commit("work of my own")

    assert lost(clone.path).case == "database-ahead"


def test_a_remote_branch_of_the_same_name_serves_where_no_upstream_is_set(clone: GitRepository) -> None:
    clone.git("branch", "--unset-upstream")
    clone.commit("work of my own")

    assert lost(clone.path).case == "database-ahead"


def test_an_older_commit_that_is_checked_out_is_behind_the_main_branch(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("checkout", "--quiet", "--detach", "HEAD~1")

    assert lost(repository.path).case == "database-ahead"


def test_an_older_commit_on_a_line_of_any_name_is_behind_it(repository: GitRepository) -> None:
    repository.git("branch", "--quiet", "--move", "main", "stable")
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("checkout", "--quiet", "--detach", "HEAD~1")

    assert lost(repository.path).case == "database-ahead"


def test_a_detached_head_between_two_lines_is_not_called_behind(repository: GitRepository) -> None:
    repository.git("branch", "--quiet", "--move", "main", "stable")
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("checkout", "--quiet", "--detach", "stable")

    assert lost(repository.path).case == "other-branch"


def test_another_branch_of_the_remote_is_another_branch(
    repository: GitRepository, clone: GitRepository
) -> None:
    clone.git("checkout", "--quiet", "-b", "mine")
    clone.commit("work of my own")

    found = lost(clone.path)

    assert (found.case, found.places[0].remote_branches) == ("other-branch", ("origin/main",))


def test_a_shallow_clone_says_that_history_is_missing(repository: GitRepository, tmp_path: Path) -> None:
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("rm", "--quiet", LOST)
    repository.commit("tidy up")
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(tmp_path / "shallow"))

    found = lost(tmp_path / "shallow")

    assert (found.case, found.places, found.complete) == (None, (), False)
    assert found.reason == "this is a shallow clone: its older history is not here"
    assert found.remedy == f"git -C {tmp_path / 'shallow'} fetch --unshallow"


def test_a_partial_clone_says_that_files_are_missing(repository: GitRepository, tmp_path: Path) -> None:
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("rm", "--quiet", LOST)
    repository.commit("tidy up")
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git(
        "clone", "--quiet", "--filter=blob:none", repository.path.as_uri(), str(tmp_path / "partial")
    )

    found = lost(tmp_path / "partial")

    assert (found.case, found.places, found.complete) == (None, (), False)
    assert found.reason == "this is a partial clone: files that were never fetched are not here"


def test_a_commit_of_a_partial_clone_is_explained_without_the_network(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git(
        "clone", "--quiet", "--filter=blob:none", repository.path.as_uri(), str(tmp_path / "partial")
    )
    partial = GitRepository(tmp_path / "partial")
    partial.git("checkout", "--quiet", "-b", "feature")
    partial.write(LOST, TEXT)
    partial.commit("add coupons")
    partial.git("checkout", "--quiet", "main")

    found = lost(tmp_path / "partial")

    assert (found.case, found.complete, found.places[0].branches) == ("other-branch", False, ("feature",))


# Other places ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "old/zz99_lost.py",
        f"{VERSIONS}/archive/zz99_lost.py",
        "alembic/zz99_lost.py",
        f"{LOST}.orig",
        f"{LOST}~",
    ],
)
@pytest.mark.parametrize("in_git", [True, False])
def test_a_file_that_is_not_loaded_lies_in_the_wrong_place(
    repository: GitRepository, name: str, *, in_git: bool
) -> None:
    repository.write(name, TEXT)
    if in_git:
        repository.commit()

    found = lost(repository.path)

    assert (found.case, found.places[0].kind, found.places[0].path) == ("wrong-location", "file", name)


def test_a_file_that_was_moved_lies_in_the_wrong_place(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit()
    (repository.path / "old").mkdir()
    repository.git("mv", LOST, "old/zz99_lost.py")
    repository.commit()

    assert lost(repository.path).case == "wrong-location"


def test_a_build_product_explains_less_than_history_does(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.write(".gitignore", "build/\n")
    repository.commit()
    repository.write("build/lib/versions/zz99_lost.py", TEXT)

    found = lost(repository.path)

    assert found.case == "deleted"
    assert [(place.kind, place.ignored) for place in found.places] == [("file", True), ("commit", False)]


def test_an_ignored_copy_is_better_than_nothing(repository: GitRepository) -> None:
    repository.write(".gitignore", "build/\n")
    repository.write("build/lib/versions/zz99_lost.py", TEXT)

    assert lost(repository.path).case == "wrong-location"


@pytest.mark.parametrize("marker", ["billing/migrations/script.py.mako", "billing/migrations/versions/b1.py"])
def test_another_environment_means_another_application(repository: GitRepository, marker: str) -> None:
    repository.write("billing/migrations/env.py")
    repository.write(marker)
    repository.write("billing/migrations/versions/zz99_lost.py", TEXT)

    found = lost(repository.path)

    assert (found.case, found.places[0].environment) == ("other-application", "billing/migrations")


def test_a_deleted_file_of_another_environment_is_the_other_application_s(repository: GitRepository) -> None:
    repository.write("billing/migrations/env.py")
    repository.write("billing/migrations/script.py.mako")
    repository.write("billing/migrations/versions/zz99_lost.py", TEXT)
    repository.commit()
    repository.git("rm", "--quiet", "billing/migrations/versions/zz99_lost.py")
    repository.commit()

    assert lost(repository.path).case == "other-application"


def test_installed_packages_are_not_searched(repository: GitRepository) -> None:
    repository.write("env/pyvenv.cfg")
    repository.write("env/lib/shop/versions/zz99_lost.py", TEXT)

    assert lost(repository.path).places == ()


def test_without_a_repository_the_folder_is_searched(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/zz99.py").write_text(TEXT)

    found = search(tmp_path, ["zz99", "nowhere"])

    assert found["zz99"].case == "wrong-location"
    assert found["nowhere"] == LostRevision(id="nowhere", reason="not in a git repository")


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (NotApplicable("git is not installed"), "git was not searched: git is not installed"),
        (Unavailable("git status failed: no"), "git was not searched: git status failed: no"),
    ],
)
def test_what_git_did_not_say_is_not_absence(
    tmp_path: Path, control: NotApplicable | Unavailable, reason: str
) -> None:
    found = find_lost_revisions(
        control, ["zz99"], root=tmp_path, script_location=tmp_path, locations=[tmp_path]
    )

    assert found["zz99"] == LostRevision(id="zz99", complete=False, reason=reason)


def test_bytecode_is_read_and_decides_nothing(repository: GitRepository, tmp_path: Path) -> None:
    source = tmp_path / "zz99_lost.py"
    source.write_text(TEXT)
    compiled = repository.path / VERSIONS / "__pycache__/renamed.pyc"
    py_compile.compile(str(source), cfile=str(compiled), doraise=True)

    found = lost(repository.path)

    assert found.case is None
    (place,) = found.places
    assert (place.kind, place.path, place.down_revisions) == ("bytecode", "__pycache__/renamed.pyc", ("a1",))


def test_bytecode_of_another_python_is_told_by_its_name(repository: GitRepository) -> None:
    for name in ("zz99_lost.cpython-38", "zz999_other.cpython-38", "b2_after_azz99.cpython-38"):
        repository.write(f"{VERSIONS}/__pycache__/{name}.pyc", "bytecode of another Python")

    assert the_place(repository.path).path == "__pycache__/zz99_lost.cpython-38.pyc"


# What must not be taken for the file -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        revision_text("b2", "zz99"),
        revision_text("b2", "a1") + "# revision = 'zz99'\n",
        revision_text("b2", "a1", message="Revision ID: zz99"),
        revision_text("zz999", "a1"),
        "The log says: revision = 'zz99'\n",
    ],
    ids=["parent", "comment", "docstring", "longer id", "prose"],
)
def test_an_id_that_is_only_mentioned_is_not_found(repository: GitRepository, text: str) -> None:
    repository.write(f"{VERSIONS}/b2_second.py", text)
    repository.write("notes.py", text)
    repository.commit()
    repository.git("rm", "--quiet", f"{VERSIONS}/b2_second.py")
    repository.commit()

    assert lost(repository.path).places == ()


@pytest.mark.parametrize(
    "text",
    [
        "revision: str = 'zz99'\ndown_revision: str | None = None\n",
        '# -*- coding: gbk -*-\n"""建表"""\nrevision = \'zz99\'\ndown_revision = \'a1\'\n',
        "revision = 'zz99'\r\ndown_revision = None\r\n",
    ],
    ids=["annotated", "encoded", "carriage returns"],
)
def test_every_way_to_declare_it_is_read(repository: GitRepository, text: str) -> None:
    (repository.path / LOST).write_bytes(text.encode("gbk"))
    repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.commit()

    assert lost(repository.path).case == "deleted"


def test_one_pass_answers_for_all_ids(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.write(f"{VERSIONS}/yy88.py", revision_text("yy88", "zz99"))
    repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "other")
    repository.write("old/xx77_建表.py", revision_text("xx77"))

    found = search(repository.path, ["zz99", "yy88", "xx77", "nowhere", ""])

    assert {name: answer.case for name, answer in found.items()} == {
        "zz99": "deleted",
        "yy88": None,
        "xx77": "wrong-location",
        "nowhere": None,
        "": None,
    }


def test_names_that_are_not_ascii_are_kept(repository: GitRepository) -> None:
    repository.write(f"{VERSIONS}/zz99_优惠券.py", revision_text("zz99", "a1", message="优惠券"))
    repository.commit("添加优惠券")
    repository.git("rm", "--quiet", f"{VERSIONS}/zz99_优惠券.py")
    repository.commit("删除")

    place = the_place(repository.path)

    assert (place.path, place.message) == (f"{VERSIONS}/zz99_优惠券.py", "优惠券")
    assert place.commit is not None
    assert place.commit.subject == "添加优惠券"


_IN_A_PROCESS_OF_ITS_OWN = """
import json, sys
from pathlib import Path
from alembic_ext.facts.lost_revisions import find_lost_revisions
from alembic_ext.facts.version_control import read_version_control
root = Path(sys.argv[1])
location = next(root.glob("*/versions"))
control = read_version_control(root, [location])
found = find_lost_revisions(control, ["zz99"], root=root, script_location=location.parent, locations=[location])
print(json.dumps([found["zz99"].to_dict(), [[repr(file.path.exists()), file.state] for file in control.uncommitted]]))
"""


@pytest.mark.parametrize("coerced", ["0", "1"])
def test_names_that_are_not_ascii_work_in_the_c_locale(repository: GitRepository, coerced: str) -> None:
    repository.write("迁移/versions/zz99_优惠券.py", revision_text("zz99", "a1", message="优惠券"))
    repository.commit("添加优惠券")
    repository.git("rm", "--quiet", "迁移/versions/zz99_优惠券.py")
    repository.commit("删除")
    repository.write("迁移/versions/b2_新.py", revision_text("b2"))
    locale = {"LC_ALL": "C", "PYTHONUTF8": coerced, "PYTHONCOERCECLOCALE": coerced}

    done = subprocess.run(
        [sys.executable, "-c", _IN_A_PROCESS_OF_ITS_OWN, str(repository.path)],
        env={**os.environ, **locale, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=True,
    )

    answer, uncommitted = json.loads(done.stdout)
    assert answer["case"] == "deleted"
    assert answer["places"][0]["commit"]["subject"] == "添加优惠券"
    assert uncommitted == [["True", "untracked"]]


# Limits ------------------------------------------------------------------------------------------------------


def test_a_limit_that_was_reached_is_said(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.commit()

    found = search(repository.path, time_limit=0.0)["zz99"]

    assert not found.complete
    assert found.reason is not None
    assert "stopped after" in found.reason


def test_large_objects_are_not_read_and_that_is_said(repository: GitRepository) -> None:
    repository.write(LOST, TEXT + "#" * git_objects.SIZE_LIMIT)
    repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.commit()

    found = lost(repository.path)

    assert (found.complete, found.places) == (False, ())
    assert found.reason == "1 object larger than 200 kB was not read"


def test_a_huge_folder_is_not_searched_to_the_end(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_revisions, "FILE_LIMIT", 3)

    assert lost(repository.path).reason == "the search of the folder stopped after 4 entries"


def test_a_damaged_repository_is_not_taken_for_an_empty_one(repository: GitRepository) -> None:
    control = read_version_control(repository.path, [repository.path / VERSIONS])
    for path in (repository.path / ".git/objects").glob("??/*"):
        path.chmod(0o600)
        path.write_bytes(b"damaged")

    location = repository.path / VERSIONS
    found = find_lost_revisions(
        control, ["zz99"], root=repository.path, script_location=location.parent, locations=[location]
    )

    assert found["zz99"].reason == "git could not read all of its objects; `git fsck` says more"


def test_when_the_time_is_over_history_at_the_locations_is_still_read(repository: GitRepository) -> None:
    """The second, narrower reading needs no look at all the other objects."""
    repository.write(LOST, TEXT)
    repository.commit()
    repository.git("rm", "--quiet", LOST)
    repository.commit()
    control = read_version_control(repository.path, [repository.path / VERSIONS])
    assert not isinstance(control, NotApplicable | Unavailable)
    scan = git_objects.Scan(control.repositories[0], time_limit=30)

    assert [content for _, content in scan.blobs_of_history([b"zz99"], [VERSIONS])] == [TEXT.encode()]
    assert [content for _, content in scan.blobs_of_history([b"zz99"], ["elsewhere"])] == []


# The case is a function of the places ------------------------------------------------------------------------


def _file(**more: object) -> Place:
    return Place(**{"kind": "file", "root": Path(), "path": "x.py", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("places", "case"),
    [
        ([], None),
        ([_file(kind="bytecode")], None),
        ([_file()], "wrong-location"),
        ([_file(), _file(kind="commit", ahead=True)], "wrong-location"),
        ([_file(kind="commit", ahead=True), _file(kind="commit", in_head=True)], "database-ahead"),
        ([_file(kind="commit", in_head=True), _file(kind="commit")], "deleted"),
        ([_file(kind="commit"), _file(kind="stash")], "other-branch"),
        ([_file(kind="reflog")], "other-branch"),
        ([_file(kind="unreachable")], "other-branch"),
        ([_file(kind="stash"), _file(ignored=True)], "never-committed"),
        ([_file(kind="dropped-stash")], "never-committed"),
        ([_file(kind="index")], "never-committed"),
        ([_file(kind="blob")], "never-committed"),
        ([_file(kind="worktree"), _file(environment="b")], "never-committed"),
        ([_file(ignored=True), _file(environment="b")], "wrong-location"),
        ([_file(environment="b"), _file(kind="commit", environment="b", ahead=True)], "other-application"),
        ([_file(environment="b"), _file(kind="bytecode")], "other-application"),
    ],
)
def test_the_first_rule_that_applies_decides(places: list[Place], case: str | None) -> None:
    assert decide_case(places) == case


def test_the_answer_is_json(repository: GitRepository) -> None:
    repository.write(LOST, TEXT)
    repository.commit("add coupons")
    repository.git("rm", "--quiet", LOST)
    repository.commit("tidy up")

    answer = json.loads(json.dumps(lost(repository.path).to_dict()))

    assert (answer["id"], answer["case"], answer["complete"], answer["reason"]) == (
        "zz99",
        "deleted",
        True,
        None,
    )
    (place,) = answer["places"]
    assert place["commit"]["date"] == "2023-11-14T22:15:20Z"
    assert place["stash"] is None
    assert place["tags"] == []
