"""AX209."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.invalid_revision_id import find
from alembic_ext.findings import Severity
from tests.revisions import Environment


@pytest.mark.parametrize("revision", ["2024-05-01", "a@b", "a+1", "", "head", "heads", "base"])
def test_ids_that_alembic_refuses_or_cannot_be_asked_for(tmp_path: Path, revision: str) -> None:
    environment = Environment(tmp_path)
    path = environment.add(revision, name="x.py")
    (finding,) = find(environment.history())

    assert finding.severity is Severity.ERROR
    assert finding.evidence["kind"] == "id"
    assert finding.location.path == path


def test_an_id_with_which_a_longer_one_begins_is_a_warning(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("aaa1")
    environment.add("aaa1bbb2", "aaa1")
    environment.add("aaa1bbb2cc", "aaa1bbb2")
    findings = list(find(environment.history()))

    assert [(finding.subject, finding.severity) for finding in findings] == [
        ("aaa1", Severity.WARNING),
        ("aaa1bbb2", Severity.WARNING),
    ]
    assert findings[0].summary == "The id 'aaa1' in aaa1_.py is how aaa1bbb2 begins."


def test_a_label_used_twice_or_equal_to_an_id(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("aaaa", branch_labels=("billing", "bbbb"))
    environment.add("bbbb", "aaaa", branch_labels="billing")

    assert [finding.summary for finding in find(environment.history())] == [
        "The branch label 'billing' is declared more than once: aaaa_.py, bbbb_.py.",
        "The branch label 'bbbb' is the id of a revision: aaaa_.py, bbbb_.py.",
    ]


def test_ordinary_ids_and_labels_are_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    for revision in ("1", "10", "v2.6.0.a", "修订一", "ab_12", "header"):
        environment.add(revision, branch_labels=f"label{revision}")

    assert list(find(environment.history())) == []
