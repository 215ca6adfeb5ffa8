"""Ways to break a healthy project, whatever env.py it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import servers

CREATE = "CREATE TABLE {} (version_num VARCHAR(32) NOT NULL)"


@dataclass
class Patient:
    """A project at its head, to be damaged.

    :param ids: its revisions, oldest first; a single line at its end.
    :param write: writes a revision file: id, parent, file name.
    :param version_table: the table that env.py uses.
    """

    root: Path
    env_script: Path
    versions: Path
    url: str
    ids: Sequence[str]
    write: Callable[[str, str | None, str], object]
    version_table: str = "alembic_version"
    environ: dict[str, str] = field(default_factory=dict)

    def sql(self, *statements: str) -> list[Any]:
        return servers.run(self.url, *statements)

    def rows(self, *ids: str) -> None:
        insert = f"INSERT INTO {self.version_table} VALUES ('{{}}')"
        self.sql(f"DELETE FROM {self.version_table}", *(insert.format(one) for one in ids))

    def file(self, revision: str) -> Path:
        """The file that declares the id, wherever its name has it."""
        declares = re.compile(rf"^revision\b.*=\s*[\"']{re.escape(revision)}[\"']", re.MULTILINE)
        return next(
            one for one in sorted(self.versions.glob("*.py")) if declares.search(one.read_text("utf-8"))
        )

    def edit_env(self, pattern: str, replacement: str) -> None:
        text, count = re.subn(pattern, replacement, self.env_script.read_text("utf-8"), flags=re.MULTILINE)
        assert count, f"env.py has no {pattern}"
        self.env_script.write_text(text, "utf-8")


@dataclass(frozen=True)
class Damage:
    """One way to break it, and what must be found then."""

    do: Callable[[Patient], None]
    codes: frozenset[str]
    exit_code: int

    @property
    def name(self) -> str:
        return self.do.__name__


DAMAGES: list[Damage] = []


def damage(*codes: str, exit_code: int) -> Callable[[Callable[[Patient], None]], Callable[[Patient], None]]:
    def register(do: Callable[[Patient], None]) -> Callable[[Patient], None]:
        DAMAGES.append(Damage(do, frozenset(codes), exit_code))
        return do

    return register


@damage("AX302", exit_code=1)
def the_row_is_deleted(patient: Patient) -> None:
    patient.rows()


@damage("AX302", exit_code=1)
def the_version_table_is_dropped(patient: Patient) -> None:
    patient.sql(f"DROP TABLE {patient.version_table}")


@damage("AX301", exit_code=1)
def the_row_is_unknown(patient: Patient) -> None:
    patient.rows("9af31c04d2e1")


@damage("AX304", exit_code=0)
def the_row_is_older(patient: Patient) -> None:
    patient.rows(patient.ids[-2])


@damage("AX305", exit_code=1)
def an_ancestor_lies_beside_the_row(patient: Patient) -> None:
    patient.rows(patient.ids[-1], patient.ids[-3])


@damage("AX305", exit_code=1)
def the_row_is_there_twice(patient: Patient) -> None:
    patient.sql(f"DROP TABLE {patient.version_table}", CREATE.format(patient.version_table))
    patient.rows(patient.ids[-1], patient.ids[-1])


@damage("AX306", exit_code=1)
def the_row_has_a_blank_at_its_end(patient: Patient) -> None:
    patient.rows(f"{patient.ids[-1]} ")


@damage("AX306", exit_code=1)
def a_blank_row_lies_beside_it(patient: Patient) -> None:
    patient.rows(patient.ids[-1], "")


@damage("AX308", exit_code=1)
def env_py_renames_the_version_table(patient: Patient) -> None:
    patient.edit_env(r"context\.configure\(", 'context.configure(version_table="my_ver", ')


@damage("AX116", exit_code=1)
def env_py_gives_an_option_that_does_not_exist(patient: Patient) -> None:
    patient.edit_env(r"context\.configure\(", "context.configure(version_table_column_type=None, ")


@damage("AX202", exit_code=1)
def the_newest_file_holds_conflict_markers(patient: Patient) -> None:
    file = patient.file(patient.ids[-1])
    text = file.read_text("utf-8")
    file.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n", "utf-8")


@damage("AX203", exit_code=1)
def the_newest_file_is_copied(patient: Patient) -> None:
    file = patient.file(patient.ids[-1])
    file.with_name("copy_of_it.py").write_text(file.read_text("utf-8"), "utf-8")


@damage("AX204", exit_code=1)
def a_file_in_the_middle_is_gone(patient: Patient) -> None:
    patient.file(patient.ids[-2]).unlink()


@damage("AX301", exit_code=1)
def the_newest_file_is_gone(patient: Patient) -> None:
    patient.file(patient.ids[-1]).unlink()


@damage("AX206", "AX304", exit_code=1)
def another_head_is_added(patient: Patient) -> None:
    patient.write("0ddba11c0ffee", patient.ids[-2], "another_head.py")


@damage("AX304", exit_code=0)
def a_revision_is_added(patient: Patient) -> None:
    patient.write("0ddba11c0ffee", patient.ids[-1], "newer.py")


@damage("AX201", exit_code=1)
def the_files_are_gone(patient: Patient) -> None:
    patient.versions.rename(patient.root / "versions_of_yesterday")


@damage("AX111", exit_code=1)
def env_py_raises(patient: Patient) -> None:
    text = patient.env_script.read_text("utf-8")
    patient.env_script.write_text(f'raise RuntimeError("not today")\n{text}', "utf-8")
