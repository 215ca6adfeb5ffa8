from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_ext.report.escaping import cell_width, in_local_time, padded, visible, wrapped


@given(st.text())
def test_visible_text_is_one_harmless_line(text: str) -> None:
    shown = visible(text)

    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode("utf-8")
    visible(text, "ascii").encode("ascii")


@given(st.text(st.characters(categories=("L", "N", "P", "Zs")) | st.sampled_from("商店订单 ")))
def test_breaking_lines_loses_nothing(text: str) -> None:
    lines = list(wrapped(text, 12))

    assert "".join("".join(lines).split()) == "".join(text.split())


def test_lines_break_between_wide_characters_and_never_inside_a_path() -> None:
    assert list(wrapped("加入优惠券和订单索引", 8)) == ["加入优惠", "券和订单", "索引"]
    assert list(wrapped("see /srv/shop/very/long/path.py now", 12)) == [
        "see",
        "/srv/shop/very/long/path.py",
        "now",
    ]


def test_wide_characters_take_two_columns() -> None:
    assert cell_width("a商e\u0301") == 4
    assert padded("商", 4) + "|" == "商  |"
    assert padded("longer", 3) == "longer"


def test_utc_times_become_local_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        assert in_local_time("since 2026-07-01T12:00:00Z,") == "since 2026-07-01 08:00:00-04:00,"
        assert in_local_time("2026-01-01 12:00:00+00:00") == "2026-01-01 07:00:00-05:00"
        assert in_local_time("2026-13-45T99:00:00Z") == "2026-13-45T99:00:00Z"
        assert in_local_time("2026-01-01T12:00:00+02:00") == "2026-01-01T12:00:00+02:00"
    time.tzset()
