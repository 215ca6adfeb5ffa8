"""The graph of the files, judged by Alembic's own map wherever Alembic can load the files at all."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alembic_ext.facts.history import Edge, History
from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles
from tests.revisions import Environment

ROOT = Path("migrations")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "migrations")


def file(
    revision: str,
    *down: str,
    labels: tuple[str, ...] = (),
    depends_on: tuple[str, ...] = (),
    source: str = "",
) -> RevisionFile:
    return RevisionFile(
        path=ROOT / f"{revision}.py",
        location=ROOT,
        revision=revision,
        down_revisions=down,
        branch_labels=labels,
        depends_on=depends_on,
        source=source.encode(),
    )


def history(*files: RevisionFile) -> History:
    return History.from_files(RevisionFiles(script_location=ROOT, locations=(ROOT,), files=files))


def assert_equals_alembics(environment: Environment) -> None:
    ours = environment.history()
    script = ScriptDirectory(str(environment.root))
    theirs = script.revision_map
    assert tuple(script.get_heads()) == ours.heads
    assert tuple(theirs._real_heads) == ours.effective_heads
    assert tuple(script.get_bases()) == ours.bases
    everything = [script.get_revision(revision) for revision in ours.revisions]
    assert len(everything) == len({one.revision for one in script.walk_revisions()})
    for one in everything:
        assert one.branch_labels == ours.labels[one.revision]
        assert set(one._all_down_revisions) == set(ours.parents[one.revision])
        ancestors = {below.revision for below in theirs._get_ancestor_nodes([one])}
        assert ancestors == ours.ancestors((one.revision,))
    for applied in ((), *((revision,) for revision in ours.revisions)):
        run = [
            step.revision.revision
            for step in script._upgrade_revs("heads", applied)  # type: ignore[arg-type]
        ]
        pending = ours.pending(applied)
        assert sorted(run) == sorted(pending)
        assert is_parents_first(ours, pending, applied)


def is_parents_first(ours: History, order: tuple[str, ...], applied: tuple[str, ...]) -> bool:
    done = set(ours.ancestors(applied))
    for revision in order:
        if not done.issuperset(ours.parents[revision]):
            return False
        done.add(revision)
    return True


def test_a_line_with_a_merge_and_two_bases(environment: Environment) -> None:
    environment.add("a1")
    environment.add("b1", "a1")
    environment.add("b2", "a1")
    environment.add("c1", ("b1", "b2"))
    environment.add("x1")
    environment.add("x2", "x1")

    assert_equals_alembics(environment)
    assert environment.history().heads == ("c1", "x2")


def test_dependencies_make_effective_heads(environment: Environment) -> None:
    """A head that another branch depends on is still a head, and is not what the database records."""
    environment.add("a1")
    environment.add("b1", "a1", depends_on="x2")
    environment.add("x1", branch_labels="extra")
    environment.add("x2", "x1")

    assert_equals_alembics(environment)
    found = environment.history()
    assert (found.heads, found.effective_heads) == (("b1", "x2"), ("b1",))


def test_a_dependency_may_be_a_label(environment: Environment) -> None:
    environment.add("a1", branch_labels=("shop", "store"))
    environment.add("b1", depends_on="store")

    assert_equals_alembics(environment)
    assert environment.history().parents["b1"] == ("a1",)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 14))
def test_any_sound_history_is_alembics(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int
) -> None:
    """Branches, merges, several bases, dependencies by id and by label, labels anywhere."""
    chance = random.Random(seed)
    environment = Environment(tmp_path_factory.mktemp("history") / "migrations")
    labels: list[str] = []
    for number in range(size):
        revision = f"rev{number:03}"
        known = [f"rev{one:03}" for one in range(number)]
        below = chance.sample(known, min(len(known), chance.choice([0, 1, 1, 1, 1, 2, 2, 3])))
        others = [one for one in (*known, *labels) if one not in below]
        needed = chance.sample(others, min(len(others), chance.choice([0, 0, 0, 1, 2])))
        label = (f"label{number}",) if chance.random() < 0.3 else None
        environment.add(
            revision, tuple(below) or None, depends_on=tuple(needed) or None, branch_labels=label,
            name=f"{chance.random()}.py",
        )  # fmt: skip
        labels += label or ()
    assert_graph_equals(environment, ScriptDirectory(str(environment.root)))


def assert_graph_equals(environment: Environment, script: ScriptDirectory) -> None:
    ours = environment.history()
    theirs = script.revision_map
    assert set(script.get_heads()) == set(ours.heads)
    assert set(theirs._real_heads) == set(ours.effective_heads)
    assert set(script.get_bases()) == set(ours.bases)
    assert ours.missing == ()
    assert ours.cycles == ()
    for revision in ours.revisions:
        one = script.get_revision(revision)
        assert set(one._all_down_revisions) == set(ours.parents[revision])
        assert one.branch_labels == ours.labels[revision]
    assert is_parents_first(ours, ours.pending(()), ())
    assert set(ours.pending(())) == set(ours.revisions)


def test_references_that_lead_nowhere() -> None:
    """Only exact ids join a down_revision: not the start of one, not a label."""
    found = history(
        file("aaaa1111", labels=("shop",)),
        file("b", "aaaa"),
        file("c", "shop"),
        file("d", "aaaa1111", depends_on=("gone", "shop")),
    )

    assert [(one.file.revision, one.parent, one.kind) for one in found.missing] == [
        ("b", "aaaa", "down_revision"),
        ("c", "shop", "down_revision"),
        ("d", "gone", "depends_on"),
    ]
    assert found.parents == {"aaaa1111": (), "b": (), "c": (), "d": ("aaaa1111",)}
    assert found.bases == ("aaaa1111",), "a file whose parent is missing is no base"


def test_the_last_of_two_files_with_one_id_is_kept() -> None:
    first, second = file("a"), file("a", "x")
    found = history(first, file("x"), second)

    assert found.duplicates == {"a": (first, second)}
    assert found.revisions["a"] is second


def test_a_cycle_is_found_beside_a_good_chain() -> None:
    found = history(file("a"), file("b", "a"), file("x", "z"), file("y", "x"), file("z", "y"), file("t", "z"))

    (cycle,) = found.cycles
    assert set(cycle.revisions) == {"x", "y", "z"}
    assert cycle.cut == Edge("x", "z", "down_revision")
    assert found.heads == ("b", "t")
    assert found.ancestors(("t",)) == {"x", "y", "z", "t"}
    assert set(found.pending(())) == {"a", "b", "x", "y", "z", "t"}, "nothing is lost, nothing hangs"
    assert isinstance(found.labels, dict)


def test_the_edge_to_cut_contradicts_its_own_docstring() -> None:
    found = history(
        file("a", source="Revises: \n"),
        file("b", "d", source="Revises: a\n"),
        file("c", "b", source="Revises: b\n"),
        file("d", "c", source="Revises: c\n"),
    )

    assert found.cycles[0].cut == Edge("b", "d", "down_revision")
    assert found.cycles[0].because == "its docstring says that it revises a"


def test_the_edge_to_cut_leaves_the_oldest_file() -> None:
    found = history(
        file("c", "b", source="Create Date: 2026-03-01\n"),
        file("a", "c", source="Create Date: 2026-01-01\n"),
        file("b", "a", source="Create Date: 2026-02-01\n"),
    )

    assert found.cycles[0].cut == Edge("a", "c", "down_revision")


def test_loops_and_knots_of_dependencies() -> None:
    found = history(
        file("a", "a"), file("b"), file("c", "b"), file("d", "b", depends_on=("e",)), file("e", "d")
    )

    assert [cycle.cut for cycle in found.cycles] == [
        Edge("a", "a", "down_revision"),
        Edge("d", "e", "depends_on"),
    ]


def test_two_knots_are_two_cycles() -> None:
    found = history(file("a", "b"), file("b", "a"), file("c", "d"), file("d", "c", "a"))

    assert [set(cycle.revisions) for cycle in found.cycles] == [{"a", "b"}, {"c", "d"}]


def test_labels_that_alembic_refuses() -> None:
    found = history(file("a", labels=("x", "b")), file("b", labels=("x",)))

    assert [(one.label, one.equals_id) for one in found.label_conflicts] == [("x", False), ("b", True)]


def test_abbreviations() -> None:
    found = history(
        file("aaaa1111", labels=("shop",)), file("aaaa2222", "aaaa1111"), file("aaa"), file("abc")
    )

    assert found.resolve_prefix("aaaa1") == ("aaaa1111",)
    assert found.resolve_prefix("aaaa") == ("aaaa1111", "aaaa2222")
    assert found.resolve_prefix("aaa") == ("aaa",), "an exact match comes first"
    assert found.resolve_prefix("ab") == (), "names of fewer than four characters are never completed"
    assert found.resolve_prefix("sho") == ("aaaa1111",)
    assert found.resolve_prefix("shop") == ("aaaa1111",)
    assert found.resolve_prefix("") == found.resolve_prefix("zzz") == ()


def test_questions_about_unknown_ids() -> None:
    found = history(file("a"), file("b", "a"))

    assert found.ancestors(("gone",)) == frozenset()
    assert found.pending(("gone", "a")) == ("b",)
    assert found.message("gone") == ""
    assert found.is_ancestor("a", "b")
    assert not found.is_ancestor("a", "a")
    assert not found.is_ancestor("b", "a")
    assert found.descendants(("a",)) == {"a", "b"}


def test_a_long_history_takes_linear_time() -> None:
    """Alembic's own `current` is quadratic here; a second is forty times what this needs."""
    files = [
        file(f"r{n}", *([f"r{n - 1}"] if n else []), labels=("main",) if n == 0 else ())
        for n in range(20_000)
    ]
    started = time.process_time()
    found = history(*files)
    assert len(found.pending(())) == 20_000
    assert found.labels["r19999"] == {"main"}
    assert time.process_time() - started < 4


def test_nothing_at_all() -> None:
    found = history()
    assert (found.heads, found.bases, found.pending(()), found.cycles) == ((), (), (), ())
