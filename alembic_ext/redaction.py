"""Keep secrets out of everything we show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_URL_PASSWORD = re.compile(r"(?P<start>[a-zA-Z][\w+.-]*://[^\s:/@'\"]*:)(?P<password>[^\s'\"]*)(?=@)")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace the given secrets, in plain and in URL-quoted form, and the password of any URL, by ``***``.

    Secrets shorter than four characters are replaced only inside URLs: replacing ``a`` everywhere would
    destroy the text and say more than it hides.
    """
    text = _URL_PASSWORD.sub(r"\g<start>***", text)
    forms = {
        form
        for secret in secrets
        if len(secret) >= 4  # noqa: PLR2004 - see above
        for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1])
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text
