"""AX116."""

from __future__ import annotations

from alembic_ext.checks.unknown_configure_option import find
from tests.checks.facts import sighting


def test_known_options_are_silent() -> None:
    assert list(find(sighting())) == []


def test_each_unknown_option_speaks_and_the_similar_one_is_named() -> None:
    first, second = find(sighting(unknown_options=("render_as_bach", "zzz")))

    assert first.summary == "context.configure() knows no option 'render_as_bach' and ignores it."
    assert first.evidence == {"option": "render_as_bach", "similar": "render_as_batch"}
    assert first.next_actions[0].label == "Did you mean render_as_batch?"
    assert second.evidence == {"option": "zzz", "similar": None}
    assert second.next_actions[0].label == "Remove it from context.configure() in env.py."
