"""Which files are read, in which order, is what Alembic would load: asked of Alembic itself."""

from __future__ import annotations

import compileall
import os
import py_compile
import warnings
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from alembic_ext.facts.bytecode import CompiledFolder, read_bytecode
from alembic_ext.facts.declarations import Declarations
from alembic_ext.facts.revision_files import RevisionFiles, read_revision_files
from tests.revisions import Environment, revision_text


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "migrations")


def loaded_by_alembic(files: RevisionFiles) -> list[tuple[str, Path]]:
    """Ids and real paths in the order in which Alembic's own loader yields them."""
    script = ScriptDirectory(
        str(files.script_location),
        version_locations=[str(location) for location in files.locations],
        sourceless=files.sourceless,
        recursive_version_locations=files.recursive,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [(one.revision, Path(one.path)) for one in script._load_revisions()]


def read_by_us(files: RevisionFiles) -> list[tuple[str, Path]]:
    assert not files.unreadable
    return [(file.revision, file.path.resolve()) for file in files.files]


def test_names_that_alembic_passes_over_are_passed_over(environment: Environment) -> None:
    environment.add("b")
    environment.add("a")
    environment.add("hidden", name=".hidden.py")
    environment.add("package", name="__init__.py")
    environment.add("dunder", name="__init__extra.py")
    environment.add("editor", name=".#lock.py")
    environment.add("backup", name="b.py.bak")
    environment.add("upper", name="Upper.PY")
    environment.add("below", name="folder/below.py")
    (environment.versions / "folder.py").mkdir()
    files = environment.files()

    assert read_by_us(files) == loaded_by_alembic(files)
    assert [file.revision for file in files.files] == ["hidden", "a", "b"]


def test_folders_below_are_read_when_asked(environment: Environment) -> None:
    environment.add("z")
    environment.add("m", name="2025/m.py")
    environment.add("k", name="2025/deep/k.py")
    environment.add("a", name="2024/a.py")
    environment.add("c", name="2025/__pycache__/c.py")
    files = environment.files(recursive=True)

    assert read_by_us(files) == loaded_by_alembic(files)
    assert [file.revision for file in files.files] == ["z", "a", "m", "k"]


def test_a_file_reached_twice_counts_once(environment: Environment) -> None:
    """Two locations overlap, a link leads into a location: Alembic goes by the real path, so do we."""
    environment.add("a", name="sub/a.py")
    environment.add("b")
    (environment.versions / "c.py").symlink_to(environment.versions / "b_.py")
    elsewhere = environment.write("stored.txt", revision_text("t"))
    (environment.versions / "t.py").symlink_to(elsewhere)
    real = environment.root / "kept.py"
    real.write_text(revision_text("kept"), encoding="utf-8")
    (environment.versions / "link.py").symlink_to(real)
    locations = (environment.versions, environment.versions / "sub")
    files = read_revision_files(environment.root, locations, recursive=True)

    assert read_by_us(files) == loaded_by_alembic(files)
    assert sorted(file.revision for file in files.files) == ["a", "b", "kept"]
    assert files.not_loaded == (), "a file that a link leads to is loaded"


def test_locations_keep_their_order_and_missing_ones_are_named(
    environment: Environment, tmp_path: Path
) -> None:
    environment.add("b")
    other = Environment(tmp_path / "other")
    other.add("a")
    missing = tmp_path / "missing"
    files = read_revision_files(environment.root, (other.versions, missing, environment.versions))

    assert read_by_us(files) == loaded_by_alembic(files)
    assert files.missing_locations == (missing,)
    assert [file.location for file in files.files] == [other.versions, environment.versions]


def test_a_file_of_alembic_0_1_is_named_after_its_id(environment: Environment) -> None:
    environment.write("1a2b3c.py", "down_revision = None\n")
    files = environment.files()

    assert read_by_us(files) == loaded_by_alembic(files) == [("1a2b3c", environment.versions / "1a2b3c.py")]


@pytest.mark.parametrize("sourceless", [False, True])
def test_bytecode_without_source(environment: Environment, *, sourceless: bool) -> None:
    """A deleted file lives on in `__pycache__`, for Alembic only with `sourceless`; for AX208 always."""
    environment.add("kept", "gone")
    gone = environment.add("gone", ("x", "y"), message="went away", branch_labels="label")
    beside = environment.add("beside")
    compileall.compile_dir(environment.versions, quiet=1)
    gone.unlink()
    py_compile.compile(str(beside), cfile=str(beside) + "c")
    beside.unlink()
    (
        environment.versions
        / "__pycache__"
        / next(path.name for path in cached(environment) if "beside" in path.name)
    ).unlink()
    files = environment.files(sourceless=sourceless)

    assert read_by_us(files) == loaded_by_alembic(files)
    orphans = {one.revision: one.loaded for one in files.orphan_bytecode}
    assert orphans == {"gone": sourceless, "beside": sourceless}
    if sourceless:
        found = next(file for file in files.files if file.revision == "gone")
        assert (found.down_revisions, found.message, found.branch_labels) == (
            ("x", "y"),
            "went away",
            ("label",),
        )


def cached(environment: Environment) -> list[Path]:
    return sorted((environment.versions / "__pycache__").iterdir())


def test_a_location_shipped_without_sources_has_no_orphans(environment: Environment) -> None:
    path = environment.add("a")
    py_compile.compile(str(path), cfile=str(path) + "c")
    path.unlink()
    files = environment.files(sourceless=True)

    assert [file.revision for file in files.files] == ["a"]
    assert files.orphan_bytecode == ()


def test_bytecode_of_another_python_is_unreadable(environment: Environment) -> None:
    environment.add("a")
    environment.write("__pycache__/b.cpython-27.pyc", b"\x03\xf3\r\nnothing")
    files = environment.files(sourceless=True)

    assert [file.reason for file in files.unreadable] == ["it is bytecode of another version of Python"]
    assert [one.revision for one in files.orphan_bytecode] == [None]


def test_damaged_and_computing_bytecode_is_unreadable(environment: Environment) -> None:
    path = environment.write("a.py", "revision = str(1)\ndown_revision = None\n")
    py_compile.compile(str(path), cfile=str(path) + "c")
    data = (environment.versions / "a.pyc").read_bytes()

    assert "computed" in getattr(read_bytecode(data), "reason", "")
    assert "damaged" in getattr(read_bytecode(data[:30]), "reason", "")
    assert "not the bytecode" in getattr(read_bytecode(data[:16] + b"N"), "reason", "")


def test_bytecode_proves_a_source_by_the_importers_own_rule(environment: Environment) -> None:
    path = environment.add("a")
    status = path.stat()
    assert not CompiledFolder(str(environment.versions)).holds(path.name, status)
    py_compile.compile(str(path))
    assert CompiledFolder(str(environment.versions)).holds(path.name, status)
    os.utime(path, (status.st_atime, status.st_mtime - 60))
    assert not CompiledFolder(str(environment.versions)).holds(path.name, path.stat())


def test_a_syntax_error_is_found_whether_or_not_there_is_stale_bytecode(environment: Environment) -> None:
    path = environment.add("a")
    py_compile.compile(str(path))
    environment.write("a_.py", path.read_text(encoding="utf-8") + "def broken(:\n")
    files = environment.files()

    assert files.files == ()
    assert files.unreadable[0].line == path.read_text(encoding="utf-8").count("\n")
    assert files.unreadable[0].apparent_revisions == ("a",)


def test_reading_writes_nothing(environment: Environment) -> None:
    environment.add("a")
    before = sorted(environment.root.rglob("*"))
    environment.files()
    assert sorted(environment.root.rglob("*")) == before


def test_what_cannot_be_opened_is_unreadable(environment: Environment) -> None:
    (environment.versions / "broken.py").symlink_to(environment.versions / "nowhere.py")
    if hasattr(os, "mkfifo"):
        os.mkfifo(environment.versions / "pipe.py")
    files = environment.files()

    assert [file.reason for file in files.unreadable] == [
        "it cannot be opened: No such file or directory",
        *(["it is not a regular file"] if hasattr(os, "mkfifo") else []),
    ]


def test_files_in_folders_that_are_not_searched(environment: Environment) -> None:
    """Another environment, virtual environments, hidden folders and parked files are not ours."""
    environment.add("a")
    environment.add("sub", name="2024/sub.py")
    beside = environment.root / "beside.py"
    beside.write_text(revision_text("beside"), encoding="utf-8")
    (environment.root / "env.py").write_text("from alembic import context\n", encoding="utf-8")
    (environment.root / "helper.py").write_text("revision = 'x'\n", encoding="utf-8")
    for folder in ("other", "venv", ".git", "node_modules"):
        path = environment.root / folder / "versions"
        path.mkdir(parents=True)
        (path / "b.py").write_text(revision_text("b"), encoding="utf-8")
    (environment.root / "other" / "env.py").touch()
    (environment.root / "venv" / "pyvenv.cfg").touch()
    environment.add("r", name="replaced/r.py.replaced")
    found = {file.path: file.revision for file in environment.files().not_loaded}

    assert found == {beside: "beside", environment.versions / "2024" / "sub.py": "sub"}
    assert environment.files(recursive=True).not_loaded[0].path == beside


def test_chinese_names_and_messages(environment: Environment) -> None:
    environment.add("修订一", None, name="修订一_添加用户.py", message="添加用户")
    (file,) = environment.files().files

    assert (file.revision, file.message) == ("修订一", "添加用户")


def test_bytes_are_kept_for_those_who_look_at_the_text(environment: Environment) -> None:
    path = environment.add("a")
    (file,) = environment.files().files

    assert file.source == path.read_bytes()
    assert "source" not in repr(file)


def test_bytecode_says_what_its_source_says(environment: Environment) -> None:
    path = environment.add("b", "a", message="m", branch_labels=("l",), depends_on=("c", "d"))
    py_compile.compile(str(path), cfile=str(path) + "c")
    found = read_bytecode(Path(str(path) + "c").read_bytes())

    assert isinstance(found, Declarations)
    assert (found.revision, found.down_revisions, found.branch_labels, found.depends_on, found.message) == (
        "b",
        ("a",),
        ("l",),
        ("c", "d"),
        "m",
    )
