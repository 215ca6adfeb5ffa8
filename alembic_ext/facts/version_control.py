"""What git says about the version locations. Nothing is ever written into ``.git``, not even a refreshed index.

One exception is git's own and cannot be turned off: where ``core.splitIndex`` is in use, every reader of the index
renews the modification time of the shared index file. Its content stays.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_ext.errors import AlembicExtError
from alembic_ext.facts.availability import NotApplicable, Unavailable
from alembic_ext.facts.docker_ignore import DockerPattern, hidden_by, read_patterns
from alembic_ext.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

NOT_A_REPOSITORY = "not in a git repository"
GIT_NOT_INSTALLED = "git is not installed"
TRUST = "if you trust it, run: "
"""What precedes the command that makes git read a repository of another user."""

NEW_REVISION = "0000_new.py"
"""The name of the revision file that could be written next; no ignore rule should match it."""

_OF_ANOTHER_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_GLOB_PATHSPECS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
)
"""What git exports to hooks, with paths relative to a folder that is not ours."""

_READ_ONLY = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
}
"""No index refresh, no network (a partial clone fetches what it misses), no prompt, no pager, English words."""


class GitError(AlembicExtError):
    """git refused, or did not answer in time."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One git repository that holds version locations.

    :param top: the folder of the working tree.
    :param git_dir: this working tree's own git folder.
    :param common_dir: the git folder that all working trees of the repository share.
    :param branch: the branch that is checked out, or ``None`` for a detached HEAD.
    :param head: the commit that is checked out, or ``None`` before the first one.
    :param upstream: the branch's upstream (``origin/main``), or ``None``.
    :param shallow: the clone was made without its older history.
    """

    top: Path
    git_dir: Path
    common_dir: Path
    branch: str | None = None
    head: str | None = None
    upstream: str | None = None
    shallow: bool = False


@dataclass(frozen=True, kw_only=True)
class UncommittedFile:
    """A Python file in a version location whose content is not the one that HEAD holds.

    :param state: ``untracked``, ``added`` (staged, never committed), ``modified``, ``deleted`` or ``conflicted``.
    """

    path: Path
    state: str


@dataclass(frozen=True, kw_only=True)
class HiddenFile:
    """A Python file in a version location that an ignore rule hides.

    :param tool: who ignores it: ``git`` or ``docker``.
    :param rule_path: the file that holds the rule, or ``None`` when git does not say.
    :param new: no such file exists: it stands for the revision that is written next.
    :param kept_by: lines that keep every revision file of the location when they stand below the rule. git looks
        into no folder that a rule hides: such folders have lines of their own, before the line for the files.
    """

    path: Path
    location: Path
    tool: str
    rule_path: Path | None
    rule_line: int | None
    rule: str
    new: bool = False
    kept_by: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, kw_only=True)
class VersionControl:
    """The version locations as git sees them.

    :param repositories: the repositories of the project root and of the locations, the project's first.
    :param outside: locations that are not this project's to commit: in no repository, or in an installed package.
    :param hidden: files that ``.gitignore`` and its like, or a ``.dockerignore``, hide.
    """

    repositories: tuple[Repository, ...]
    uncommitted: tuple[UncommittedFile, ...] = ()
    hidden: tuple[HiddenFile, ...] = ()
    outside: tuple[Path, ...] = ()

    @property
    def top(self) -> Path:
        return self.repositories[0].top

    @property
    def branch(self) -> str | None:
        return self.repositories[0].branch

    @property
    def head(self) -> str | None:
        return self.repositories[0].head


def read_version_control(
    root: Path, locations: Sequence[Path], *, time_limit: float = 20.0
) -> VersionControl | NotApplicable | Unavailable:
    """Ask git about the version locations, with three short processes for each repository.

    :param root: the project root.
    :param locations: the version locations; missing ones are allowed.
    :param time_limit: seconds for each process.
    """
    root = root.resolve()
    outside: list[Path] = []
    of_top: dict[Path, dict[Path, Path]] = {top: {} for top in (working_tree(root),) if top is not None}
    for location in locations:
        real = location.resolve()
        if (top := working_tree(real)) is None or _is_installed(real):
            outside.append(location)
        else:
            of_top.setdefault(top, {})[real] = location
    if not of_top:
        return NotApplicable(NOT_A_REPOSITORY)
    if shutil.which("git") is None:
        return NotApplicable(GIT_NOT_INSTALLED)
    repositories: list[Repository] = []
    uncommitted: list[UncommittedFile] = []
    hidden: list[HiddenFile] = []
    try:
        for top, its_locations in of_top.items():
            repository, files, ignored = _read_repository(top, its_locations, time_limit)
            repositories.append(repository)
            uncommitted += files
            hidden += ignored
    except GitError as error:
        if "not a git repository" in error.message and not any(_is_damaged(top) for top in of_top):
            return NotApplicable(NOT_A_REPOSITORY)  # an empty .git folder, or a ceiling the user set
        return Unavailable(error.message)
    own = {real: location for its_locations in of_top.values() for real, location in its_locations.items()}
    for context in dict.fromkeys((root, *(repository.top for repository in repositories))):
        hidden += _hidden_from_docker(context, own)
    return VersionControl(
        repositories=tuple(repositories),
        uncommitted=tuple(uncommitted),
        hidden=tuple(hidden),
        outside=tuple(outside),
    )


def working_tree(path: Path) -> Path | None:
    """The nearest folder at or above a path that holds a ``.git``; no process is needed to see that there is none."""
    return next((folder for folder in (path, *path.parents) if os.path.lexists(folder / ".git")), None)


def _is_damaged(top: Path) -> bool:
    """Whether there is a ``.git`` folder that git itself cannot use: one without a HEAD, or one we may not read."""
    folder = top / ".git"
    try:
        return folder.is_dir() and any(folder.iterdir()) and not (folder / "HEAD").is_file()
    except OSError:
        return True


def git_command(*arguments: str) -> list[str]:
    """A git command that runs none of the repository's helpers and hooks, and prints names as they are."""
    return [
        shutil.which("git") or "git",
        "--no-pager",
        *("-c", "core.fsmonitor=false"),
        *("-c", f"core.hooksPath={os.devnull}"),
        *("-c", "core.quotePath=off"),
        *("-c", "log.showSignature=false"),
        *arguments,
    ]


def git_environment() -> dict[str, str]:
    """The environment of every git process: the user's, without another repository's and without any write."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
    return {**kept, **_READ_ONLY}


def run_git(folder: Path, *arguments: str, words: bytes = b"", time_limit: float = 20.0) -> bytes:
    """What one git process prints.

    :param words: its standard input.
    :raises GitError: git failed, with its own first line, or did not answer in time.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            git_command(*arguments),
            cwd=folder,
            env=git_environment(),
            input=words,
            capture_output=True,
            check=False,
            timeout=time_limit,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {_subcommand(arguments)} gave no answer within {time_limit:g} s.") from error
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror or error}.") from error
    nothing_ignored = done.returncode == 1 and _subcommand(arguments) == "check-ignore"
    if done.returncode != 0 and not nothing_ignored:
        raise GitError(
            _refusal(_subcommand(arguments), done.stderr.decode("utf-8", "replace"), done.returncode)
        )
    return done.stdout


def _subcommand(arguments: tuple[str, ...]) -> str:
    return next(argument for argument in arguments if not argument.startswith("-"))


def _refusal(subcommand: str, words: str, returncode: int) -> str:
    if "dubious ownership" in words or "unsafe repository" in words:
        command = next((line.strip() for line in words.splitlines() if "safe.directory" in line), "")
        return (
            "git refuses to read this repository because its folder belongs to another user; "
            f"{TRUST}{command or 'git config --global --add safe.directory FOLDER'}"
        )
    lines = [line.strip() for line in words.splitlines() if line.strip()] or [f"exit code {returncode}"]
    first = next((line for line in lines if line.startswith("fatal: ")), lines[0])
    return f"git {subcommand} failed: {redact(first.removeprefix('fatal: '))}"


def _read_repository(
    top: Path, locations: Mapping[Path, Path], time_limit: float
) -> tuple[Repository, list[UncommittedFile], list[HiddenFile]]:
    def ask(*arguments: str, words: bytes = b"") -> list[str]:
        answer = run_git(top, *arguments, words=words, time_limit=time_limit)
        return os.fsdecode(answer).split("\0" if "-z" in arguments else "\n")

    places = (
        "rev-parse",
        "--show-toplevel",
        "--absolute-git-dir",
        "--git-common-dir",
        "--is-shallow-repository",
    )
    shown_top, git_dir, common_dir, shallow = ask(*places)[:4]
    top = Path(shown_top)
    if not all(location.is_relative_to(top) for location in locations):
        raise GitError(f"git says that the working tree is {top}, which does not hold the version locations.")
    paths = [location.relative_to(top).as_posix() for location in locations]
    status = (
        "--literal-pathspecs",
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--no-renames",
        "--no-ahead-behind",
    )
    which = (
        "--ignore-submodules=all",
        *(("-uall", "--ignored=traditional", "--", *paths) if paths else ("-uno",)),
    )
    headers: dict[str, str] = {}
    uncommitted: list[UncommittedFile] = []
    ignored: list[str] = []
    for entry in filter(None, ask(*status, *which)):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            key, _, value = rest.partition(" ")
            headers[key] = value
        elif kind == "!":
            ignored.append(rest)
        elif state := _state(kind, rest):
            name = rest if kind == "?" else rest.split(" ", 9 if kind == "u" else 7)[-1]
            if _is_python(name):
                uncommitted.append(UncommittedFile(path=_as_given(top / name, locations)[1], state=state))
    head, branch = headers.get("branch.oid", "(initial)"), headers.get("branch.head", "(detached)")
    repository = Repository(
        top=top,
        git_dir=Path(git_dir),
        common_dir=Path(os.path.normpath(top / common_dir)),
        branch=None if branch == "(detached)" else branch,
        head=None if head == "(initial)" else head,
        upstream=headers.get("branch.upstream"),
        shallow=shallow == "true",
    )
    folders = dict.fromkeys(
        folder.as_posix() for path in paths for folder in (Path(path), *Path(path).parents) if folder.name
    )
    files = (*(f"{path}/{NEW_REVISION}" for path in paths), *filter(_is_python, ignored))
    asked = os.fsencode("\0".join(f"./{path}" for path in (*folders, *files)))
    answers = ask("check-ignore", "-v", "-z", "--stdin", words=asked) if paths else []
    hidden = list(_hidden_from_git(top, locations, answers))
    return repository, uncommitted, hidden


def _state(kind: str, rest: str) -> str | None:
    if kind in "?u":
        return {"?": "untracked", "u": "conflicted"}[kind]
    staged, unstaged = rest[0], rest[1]
    if unstaged == "D" or staged == "D":
        return "deleted"
    if "A" in (staged, unstaged):
        return "added"
    return "modified" if kind == "1" else None


def _as_given(path: Path, locations: Mapping[Path, Path]) -> tuple[Path, Path]:
    """The version location that a real path lies in and the path, both as the project spells them."""
    real = next(folder for folder in path.parents if folder in locations)
    return locations[real], locations[real] / path.relative_to(real)


def _hidden_from_git(
    top: Path, locations: Mapping[Path, Path], answers: Sequence[str]
) -> Iterator[HiddenFile]:
    """One entry for each file that ``check-ignore`` named together with the rule that hides it."""
    entries = [
        (source, line, rule, top / name)
        for source, line, rule, name in zip(
            answers[0::4], answers[1::4], answers[2::4], answers[3::4], strict=False
        )
        if not rule.startswith("!")  # the deciding rule keeps it
    ]
    folders = {path for *_, path in entries if not _is_python(path.name) or path in locations}
    for source, line, rule, real in entries:
        if real in folders:
            continue
        location, path = _as_given(real, locations)
        above = next(folder for folder in real.parents if folder in locations)
        rules = (top / source).parent if source.endswith(".gitignore") else top
        rules = rules if above.is_relative_to(rules) else top
        yield HiddenFile(
            path=path,
            location=location,
            tool="git",
            rule_path=top / source if source else None,
            rule_line=int(line) if line else None,
            rule=rule,
            new=path == location / NEW_REVISION and not path.exists(),
            kept_by=_kept_by(rules, above, rule, folders),
        )


def _kept_by(rules: Path, location: Path, rule: str, hidden: Collection[Path]) -> tuple[str, ...]:
    """The lines of the ``.gitignore`` in the folder ``rules`` that keep a location: see ``HiddenFile``."""
    lines = [
        f"!/{_literally(folder.relative_to(rules).as_posix())}/"
        for folder in (*reversed(location.parents), location)
        if folder in hidden and folder.is_relative_to(rules)
    ]
    if not (lines and rule.endswith("/")):  # that rule speaks of folders only
        lines.append(f"!/{_literally((location / '*.py').relative_to(rules).as_posix())}")
    return tuple(lines)


def _literally(path: str) -> str:
    """A path as a rule; the star of ``*.py`` stays one."""
    return re.sub(r"([\\?\[])", r"\\\1", path)


def _hidden_from_docker(context: Path, locations: Mapping[Path, Path]) -> Iterator[HiddenFile]:
    """Files of the locations that the ``.dockerignore`` of a folder keeps out of an image."""
    rules = context / ".dockerignore"
    try:
        patterns = read_patterns(rules.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return
    for real, location in locations.items():
        if not real.is_relative_to(context):
            continue
        files = sorted(real.rglob("*.py")) if real.is_dir() else []
        for path in dict.fromkeys((real / NEW_REVISION, *files)):
            pattern: DockerPattern | None = hidden_by(patterns, path.relative_to(context).as_posix())
            if pattern is not None:
                yield HiddenFile(
                    path=_as_given(path, locations)[1],
                    location=location,
                    tool="docker",
                    rule_path=rules,
                    rule_line=pattern.line,
                    rule=pattern.text,
                    new=path not in files,
                    kept_by=(f"!{real.relative_to(context).as_posix()}/",),
                )


def _is_python(name: str) -> bool:
    return name.endswith(".py")


def _is_installed(location: Path) -> bool:
    """Whether a location belongs to an installed package: such files come from elsewhere."""
    return not {"site-packages", "dist-packages"}.isdisjoint(location.parts) or any(
        (folder / "pyvenv.cfg").is_file() for folder in location.parents
    )
