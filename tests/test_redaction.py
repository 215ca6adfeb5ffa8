"""No secret in any text."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_ext.redaction import redact, worth_hiding


@pytest.mark.parametrize(
    "text",
    [
        "cannot connect to mysql+pymysql://app:p%40w@h/db",
        "postgresql://app:p@w:d/#@h:5432/db is down",
        "sqlalchemy.url = mysql://:geheim@h",
    ],
)
def test_the_password_of_a_url_is_hidden(text: str) -> None:
    shown = redact(text)

    assert ":***@h" in shown
    assert "p%40w" not in shown
    assert "p@w" not in shown
    assert "geheim" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:Sup3r g3heim!@h/d is down",
        "invalid dsn: host=h password=g3heim user=u",
        "Driver={X};UID=u;PWD=g3heim;",
        "connect(host='h', passwd='g3heim')",
        "syntax error at ALTER USER u PASSWORD 'g3heim it''s' VALID",
    ],
)
def test_a_password_is_hidden_in_whatever_notation(text: str) -> None:
    shown = redact(text)

    assert "***" in shown
    assert "g3heim" not in shown


def test_a_sentence_about_a_password_is_left_alone() -> None:
    for text in ("no password supplied", "Access denied (using password: YES)", "see http://h:80/d or a@b"):
        assert redact(text).replace("***", "YES") == text


@given(st.text(min_size=4, max_size=20).filter(lambda secret: set(secret) - set("*")))
def test_a_secret_is_hidden_in_every_form_that_a_driver_may_print(secret: str) -> None:
    try:
        forms = (
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            quote(secret, safe="").lower(),
            repr(secret),
        )
    except UnicodeEncodeError:
        return  # half a surrogate pair is in no URL
    for form in forms[:3]:
        assert form not in redact(f"<{form}>", [secret])


def test_a_text_without_secrets_is_left_alone() -> None:
    text = "The database is at 9af31c: 订单, 50 % done, see https://www.sqlite.org/wal.html"

    assert redact(text, ["geheim", ""]) == text


def test_a_very_short_secret_does_not_destroy_the_text() -> None:
    assert redact("a table", ["a"]) == "a table"


def test_a_password_that_is_shown_anyway_is_not_pointed_at() -> None:
    assert worth_hiding(["postgres", "app", "g3heim", "g3heim"], ["app", None, "localhost"]) == ("g3heim",)
