"""What git says about the version locations, in every kind of checkout, without writing anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alembic_ext.facts import NotApplicable, Unavailable
from alembic_ext.facts.lost_revisions import find_lost_revisions
from alembic_ext.facts.version_control import (
    GitError,
    HiddenFile,
    UncommittedFile,
    VersionControl,
    read_version_control,
    run_git,
)
from tests.git_repository import ENVIRONMENT, GitRepository, listing, revision_text

VERSIONS = "alembic/versions"


@pytest.fixture(autouse=True)
def _no_git_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, ENVIRONMENT[name])


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A project at the top of a repository, with one committed revision."""
    return with_revision(GitRepository.create(tmp_path / "project"))


def with_revision(repository: GitRepository) -> GitRepository:
    repository.write(f"{VERSIONS}/a1_first.py", revision_text("a1"))
    repository.commit("first")
    return repository


def read(root: Path, *locations: Path) -> VersionControl:
    control = read_version_control(root, locations or [root / VERSIONS])
    assert isinstance(control, VersionControl), control
    return control


def states(control: VersionControl) -> dict[str, str]:
    return {file.path.name: file.state for file in control.uncommitted}


def test_a_clean_checkout_has_nothing_to_say(repository: GitRepository) -> None:
    control = read(repository.path)

    assert (control.top, control.branch, control.head) == (
        repository.path,
        "main",
        repository.git("rev-parse", "HEAD"),
    )
    assert (control.uncommitted, control.hidden, control.outside) == ((), (), ())
    assert not control.repositories[0].shallow


def test_files_that_are_not_committed_are_told_with_their_state(repository: GitRepository) -> None:
    for name in ("b2_changed", "c3_staged_change", "d4_deleted", "e5_removed"):
        repository.write(f"{VERSIONS}/{name}.py", revision_text(name[:2]))
    repository.commit()
    repository.write(f"{VERSIONS}/b2_changed.py", "changed")
    repository.write(f"{VERSIONS}/c3_staged_change.py", "changed")
    repository.write(f"{VERSIONS}/f6_staged.py", revision_text("f6"))
    repository.git("add", f"{VERSIONS}/c3_staged_change.py", f"{VERSIONS}/f6_staged.py")
    (repository.path / VERSIONS / "d4_deleted.py").unlink()
    repository.git("rm", "--quiet", f"{VERSIONS}/e5_removed.py")
    repository.write(f"{VERSIONS}/g7_new.py", revision_text("g7"))
    repository.write(f"{VERSIONS}/h8_intended.py", revision_text("h8"))
    repository.git("add", "--intent-to-add", f"{VERSIONS}/h8_intended.py")
    repository.write(f"{VERSIONS}/notes.txt", "no revision")
    repository.write("elsewhere.py", "not in a version location")

    assert states(read(repository.path)) == {
        "b2_changed.py": "modified",
        "c3_staged_change.py": "modified",
        "d4_deleted.py": "deleted",
        "e5_removed.py": "deleted",
        "f6_staged.py": "added",
        "g7_new.py": "untracked",
        "h8_intended.py": "added",
    }


def test_a_renamed_file_is_added_under_its_new_name(repository: GitRepository) -> None:
    repository.git("mv", f"{VERSIONS}/a1_first.py", f"{VERSIONS}/a1_renamed.py")

    assert states(read(repository.path)) == {"a1_first.py": "deleted", "a1_renamed.py": "added"}


def test_a_file_in_conflict_is_told(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(f"{VERSIONS}/a1_first.py", "theirs")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write(f"{VERSIONS}/a1_first.py", "ours")
    repository.commit()
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "feature")

    assert states(read(repository.path)) == {"a1_first.py": "conflicted"}


def test_before_the_first_commit_everything_is_untracked(tmp_path: Path) -> None:
    repository = GitRepository.create(tmp_path)
    repository.write(f"{VERSIONS}/a1_first.py", revision_text("a1"))

    control = read(tmp_path)

    assert (control.branch, control.head) == ("main", None)
    assert states(control) == {"a1_first.py": "untracked"}


def test_the_project_may_lie_below_the_top(tmp_path: Path) -> None:
    repository = GitRepository.create(tmp_path)
    new = repository.write(f"services/shop/{VERSIONS}/a1_first.py", revision_text("a1"))

    control = read(tmp_path / "services/shop")

    assert control.top == tmp_path
    assert control.uncommitted == (UncommittedFile(path=new, state="untracked"),)


def test_a_detached_head_has_no_branch(repository: GitRepository) -> None:
    repository.git("checkout", "--quiet", "--detach")

    assert read(repository.path).branch is None


def test_the_upstream_is_known(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", str(repository.path), str(tmp_path / "clone"))

    assert read(tmp_path / "clone").repositories[0].upstream == "origin/main"


def test_a_shallow_clone_says_so(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit("second")
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(tmp_path / "clone"))

    assert read(tmp_path / "clone").repositories[0].shallow


def test_a_linked_working_tree_is_its_own_top(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "feature"))
    new = tmp_path / "feature" / VERSIONS / "b2_new.py"
    new.write_text(revision_text("b2", "a1"))

    control = read(tmp_path / "feature")

    assert (control.top, control.branch) == (tmp_path / "feature", "feature")
    assert control.repositories[0].common_dir == repository.path / ".git"
    assert control.uncommitted == (UncommittedFile(path=new, state="untracked"),)


def test_a_bare_repository_may_lie_elsewhere(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(tmp_path / "bare.git"))
    bare = GitRepository(tmp_path / "bare.git")
    bare.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "main")

    control = read(tmp_path / "tree")

    assert (control.top, control.branch) == (tmp_path / "tree", "main")
    assert control.repositories[0].common_dir == tmp_path / "bare.git"


def test_the_git_folder_may_lie_elsewhere(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    GitRepository(project).git("init", "--quiet", f"--separate-git-dir={tmp_path / 'elsewhere.git'}")
    with_revision(GitRepository(project))

    assert read(project).repositories[0].git_dir == tmp_path / "elsewhere.git"


def test_version_locations_in_a_submodule_are_asked_there(repository: GitRepository, tmp_path: Path) -> None:
    top = GitRepository.create(tmp_path / "top")
    top.git("submodule", "--quiet", "add", str(repository.path), "shop")
    top.commit()
    new = top.path / "shop" / VERSIONS / "b2_new.py"
    new.write_text(revision_text("b2", "a1"))

    control = read(top.path, top.path / "shop" / VERSIONS, top.path / VERSIONS)

    assert [one.top for one in control.repositories] == [top.path, top.path / "shop"]
    assert control.uncommitted == (UncommittedFile(path=new, state="untracked"),)


def test_a_symbolic_link_to_a_location_keeps_the_project_s_spelling(repository: GitRepository) -> None:
    (repository.path / "link").symlink_to(repository.path / VERSIONS)
    repository.write(f"{VERSIONS}/b2_new.py", revision_text("b2", "a1"))

    control = read(repository.path, repository.path / "link")

    assert [file.path for file in control.uncommitted] == [repository.path / "link" / "b2_new.py"]


@pytest.mark.parametrize("name", ["迁移/版本", "a b/[v]*", ":(top)/versions", "versions"])
def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    repository = GitRepository.create(tmp_path)
    repository.write(f"{name}/a1_建表.py", revision_text("a1"))
    repository.write(f"{name}x/b2.py", revision_text("b2"))
    repository.write(".gitignore", "c3*\n")
    repository.write(f"{name}/c3_hidden.py", revision_text("c3"))

    control = read(tmp_path, tmp_path / name)

    assert states(control) == {"a1_建表.py": "untracked"}
    assert [(file.path.name, file.new) for file in control.hidden] == [("c3_hidden.py", False)]


def test_a_missing_location_is_no_problem(repository: GitRepository) -> None:
    repository.write(".gitignore", "soon/\n")

    control = read(repository.path, repository.path / "soon")

    assert [(file.path, file.new) for file in control.hidden] == [
        (repository.path / "soon/0000_new.py", True)
    ]


def test_an_ignore_rule_is_named(repository: GitRepository) -> None:
    repository.write(".gitignore", "# build\nversions/\n")
    repository.write(f"{VERSIONS}/b2_hidden.py", revision_text("b2", "a1"))
    location = repository.path / VERSIONS

    hidden = read(repository.path).hidden

    rule = {"tool": "git", "rule_path": repository.path / ".gitignore", "rule_line": 2, "rule": "versions/"}
    assert hidden == (
        HiddenFile(path=location / "0000_new.py", location=location, new=True, **rule),  # type: ignore[arg-type]
        HiddenFile(path=location / "b2_hidden.py", location=location, new=False, **rule),  # type: ignore[arg-type]
    )


def test_a_rule_that_keeps_the_files_is_silent(repository: GitRepository) -> None:
    repository.write(".gitignore", "*\n!*/\n!*.py\n")

    assert read(repository.path).hidden == ()


def test_bytecode_may_be_ignored(repository: GitRepository) -> None:
    repository.write(".gitignore", "__pycache__/\n*.pyc\n")
    repository.write(f"{VERSIONS}/__pycache__/a1_first.cpython-311.pyc", "bytecode")

    assert read(repository.path).hidden == ()


def test_excludes_of_the_clone_and_of_the_user_count(repository: GitRepository, tmp_path: Path) -> None:
    (repository.path / ".git/info").mkdir(exist_ok=True)
    (repository.path / ".git/info/exclude").write_text("b2*\n")
    (tmp_path / "excludes").write_text("c3*\n")
    repository.git("config", "core.excludesFile", str(tmp_path / "excludes"))
    repository.write(f"{VERSIONS}/b2.py", revision_text("b2"))
    repository.write(f"{VERSIONS}/c3.py", revision_text("c3"))

    assert {(file.path.name, file.rule_path) for file in read(repository.path).hidden} == {
        ("b2.py", repository.path / ".git/info/exclude"),
        ("c3.py", tmp_path / "excludes"),
    }


@pytest.mark.parametrize("where", ["project", "top"])
def test_dockerignore_counts_beside_the_ini_and_at_the_top(tmp_path: Path, where: str) -> None:
    repository = GitRepository.create(tmp_path)
    repository.write(f"shop/{VERSIONS}/a1_first.py", revision_text("a1"))
    rules = repository.write("shop/.dockerignore" if where == "project" else ".dockerignore", "**/versions\n")
    repository.commit()

    hidden = read(tmp_path / "shop").hidden

    assert [(file.tool, file.path.name, file.new, file.rule_path, file.rule_line) for file in hidden] == [
        ("docker", "0000_new.py", True, rules, 1),
        ("docker", "a1_first.py", False, rules, 1),
    ]


def test_dockerignore_that_keeps_the_files_is_silent(repository: GitRepository) -> None:
    repository.write(".dockerignore", "*\n!alembic\n**/__pycache__\n")

    assert read(repository.path).hidden == ()


def test_locations_of_installed_packages_are_nobody_s_to_commit(repository: GitRepository) -> None:
    repository.write(".gitignore", ".venv/\n")
    repository.write(".venv/pyvenv.cfg")
    installed = repository.write(".venv/lib/shop/versions/b2.py", revision_text("b2")).parent
    packaged = repository.write("vendor/site-packages/shop/versions/c3.py", revision_text("c3")).parent

    control = read(repository.path, repository.path / VERSIONS, installed, packaged)

    assert (control.hidden, control.uncommitted) == ((), ())
    assert control.outside == (installed, packaged)


def test_a_location_outside_every_repository_is_said(repository: GitRepository, tmp_path: Path) -> None:
    control = read(repository.path, tmp_path / "elsewhere")

    assert control.outside == (tmp_path / "elsewhere",)


def test_no_repository_is_not_applicable(tmp_path: Path) -> None:
    assert read_version_control(tmp_path, [tmp_path / VERSIONS]) == NotApplicable("not in a git repository")


def test_an_empty_git_folder_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    assert read_version_control(tmp_path, [tmp_path / VERSIONS]) == NotApplicable("not in a git repository")


def test_without_git_it_is_not_applicable(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    answer = read_version_control(repository.path, [repository.path / VERSIONS])

    assert answer == NotApplicable("git is not installed")


def test_a_folder_of_another_user_is_refused_in_plain_words(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    answer = read_version_control(repository.path, [repository.path / VERSIONS])

    assert isinstance(answer, Unavailable)
    assert "belongs to another user" in answer.reason
    assert f"git config --global --add safe.directory {repository.path}" in answer.reason


def test_a_damaged_repository_is_unavailable(repository: GitRepository) -> None:
    (repository.path / ".git/index").write_bytes(b"no index")

    answer = read_version_control(repository.path, [repository.path / VERSIONS])

    assert isinstance(answer, Unavailable)
    assert answer.reason.startswith("git status failed: ")


def test_a_repository_without_its_head_is_damaged_and_not_absent(repository: GitRepository) -> None:
    """As where `.git` may not be read: git calls both "not a git repository"."""
    (repository.path / ".git/HEAD").unlink()

    answer = read_version_control(repository.path, [repository.path / VERSIONS])

    assert isinstance(answer, Unavailable)
    assert "not a git repository" in answer.reason


def test_a_git_that_does_not_answer_is_unavailable(repository: GitRepository) -> None:
    answer = read_version_control(repository.path, [repository.path / VERSIONS], time_limit=1e-6)

    assert isinstance(answer, Unavailable)
    assert "no answer within" in answer.reason


def test_a_working_tree_that_is_elsewhere_is_unavailable(repository: GitRepository, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    repository.git("config", "core.worktree", str(tmp_path / "other"))

    answer = read_version_control(repository.path, [repository.path / VERSIONS])

    assert isinstance(answer, Unavailable | NotApplicable)


def test_a_warning_of_git_is_no_failure(repository: GitRepository, tmp_path: Path) -> None:
    """Excludes that cannot be opened: git warns and goes on."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    repository.git("config", "core.excludesFile", str(tmp_path / "loop"))

    assert read(repository.path).hidden == ()


def test_a_git_that_fails_is_named_with_its_own_words(repository: GitRepository) -> None:
    with pytest.raises(GitError, match="git cat-file failed: Not a valid object name nothing"):
        run_git(repository.path, "cat-file", "-p", "nothing")


def test_variables_of_a_hook_do_not_lead_elsewhere(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = with_revision(GitRepository.create(tmp_path / "other"))
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))

    assert read(repository.path).top == repository.path


def test_nothing_that_the_repository_names_is_run(repository: GitRepository, tmp_path: Path) -> None:
    lose_zz(repository)
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "pager.log", "gpg.program"):
        repository.git("config", key, str(trap))
    repository.git("config", "log.showSignature", "true")
    hook = repository.path / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_bytes(trap.read_bytes())
    hook.chmod(0o755)
    (tmp_path / "sprung").unlink(missing_ok=True)

    search_everything(repository.path)

    assert not (tmp_path / "sprung").exists()


# Never a byte into .git -------------------------------------------------------------------------------------


def search_everything(root: Path) -> None:
    location = root / VERSIONS
    control = read_version_control(root, [location])
    assert isinstance(control, VersionControl), control
    found = find_lost_revisions(
        control, ["zz", "nowhere"], root=root, script_location=location.parent, locations=[location]
    )
    assert found["zz"].places


def lose_zz(repository: GitRepository) -> None:
    repository.write(f"{VERSIONS}/zz_gone.py", revision_text("zz", "a1"))
    repository.commit("with zz")
    repository.git("rm", "--quiet", f"{VERSIONS}/zz_gone.py")
    repository.write(f"{VERSIONS}/b2_second.py", revision_text("b2", "a1"))
    repository.commit("without zz")


def normal(repository: GitRepository) -> Path:
    return repository.path


def dirty_index(repository: GitRepository) -> Path:
    """Files whose times say changed and whose content says not: a plain `git status` refreshes the index."""
    for path in (repository.path / VERSIONS).glob("*.py"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    return repository.path


def linked_working_tree(repository: GitRepository) -> Path:
    tree = repository.path.parent / "tree"
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tree))
    return tree


def shallow_clone(repository: GitRepository) -> Path:
    clone = repository.path.parent / "clone"
    repository.git("clone", "--quiet", "--depth=2", repository.path.as_uri(), str(clone))
    return clone


def partial_clone(repository: GitRepository) -> Path:
    """Without blobs: git fetches those that it is asked for, unless it is kept from doing so."""
    clone = repository.path.parent / "clone"
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("clone", "--quiet", "--filter=blob:none", repository.path.as_uri(), str(clone))
    staged = clone / VERSIONS / "zz_staged.py"
    staged.write_text(revision_text("zz", "b2"))
    GitRepository(clone).git("add", str(staged))
    staged.unlink()
    return clone


def alternates(repository: GitRepository) -> Path:
    clone = repository.path.parent / "clone"
    repository.git("clone", "--quiet", "--shared", str(repository.path), str(clone))
    return clone


def submodule(repository: GitRepository) -> Path:
    top = GitRepository.create(repository.path.parent / "top")
    top.git("submodule", "--quiet", "add", str(repository.path), "shop")
    return top.path / "shop"


def packed(repository: GitRepository) -> Path:
    repository.git("gc", "--quiet")
    repository.git("commit-graph", "write")
    return repository.path


def untracked_cache(repository: GitRepository) -> Path:
    repository.git("config", "core.untrackedCache", "true")
    repository.git("update-index", "--untracked-cache")
    repository.write(f"{VERSIONS}/c3_new.py", revision_text("c3", "b2"))
    return repository.path


LAYOUTS: list[Callable[[GitRepository], Path]] = [
    normal,
    dirty_index,
    linked_working_tree,
    shallow_clone,
    partial_clone,
    alternates,
    submodule,
    packed,
    untracked_cache,
]


@pytest.mark.parametrize("layout", [pytest.param(layout, id=layout.__name__) for layout in LAYOUTS])
def test_nothing_is_written_anywhere(
    repository: GitRepository, tmp_path: Path, layout: Callable[[GitRepository], Path]
) -> None:
    lose_zz(repository)
    root = layout(repository)
    before = listing(tmp_path)

    search_everything(root)

    assert listing(tmp_path) == before


def test_a_plain_git_status_would_have_written(repository: GitRepository, tmp_path: Path) -> None:
    """The test above can fail: the listing shows what git does unless it is told not to."""
    root = dirty_index(repository)
    before = listing(tmp_path)

    GitRepository(root).git("status")

    assert listing(tmp_path) != before
