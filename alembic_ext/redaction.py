"""Keep secrets out of everything we show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_URL_PASSWORD = re.compile(r"(?P<start>[a-zA-Z][\w+.-]*://[^\s:/@'\"]*:)(?:[^\s'\"]*|[^'\"\n/]*)(?=@)")
_KEY_PASSWORD = re.compile(
    r"(?i)(?P<start>(?<![a-z])(?:password|passwd|pwd)\s*[=:]\s*|\bPASSWORD\s+(?='))"
    r"(?P<password>'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|[^\s&;,'\")]+)"
)
_SHORTEST = 4


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace the given secrets, in plain and in URL-quoted form, and the password of any URL, by ``***``.

    So is what stands after ``password=``, ``pwd=`` and the like, and after ``PASSWORD`` in SQL.

    Secrets shorter than four characters are replaced only inside URLs: replacing ``a`` everywhere would
    destroy the text and say more than it hides.
    """
    text = _URL_PASSWORD.sub(r"\g<start>***", text)
    text = _KEY_PASSWORD.sub(r"\g<start>***", text)
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _forms(secret: str) -> Iterable[str]:
    if len(secret) < _SHORTEST:
        return
    quoted = (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (secret, repr(secret)[1:-1], *quoted)
    yield from (re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in quoted)


def worth_hiding(secrets: Iterable[str], shown: Iterable[str | None]) -> tuple[str, ...]:
    """The secrets that can be hidden without hiding what is shown anyway.

    A password that is also the user's, the database's or the dialect's name cannot be told from it in a text:
    replacing it would spoil the report and point at the password.

    :param shown: words that the report shows: dialect, driver, user, host, database.
    """
    words = ("mysql", "mariadb", "postgresql", "psycopg", "pymysql", "sqlite", *filter(None, shown))
    return tuple(secret for secret in dict.fromkeys(secrets) if not any(secret in word for word in words))
