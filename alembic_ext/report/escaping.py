"""Text that cannot do anything but be read: no control characters, no direction changes, nothing unprintable."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_UTC_TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|\+00:00)(?![\w:])")


def visible(text: str, encoding: str = "utf-8") -> str:
    """The text on one line, with everything that a terminal would obey, or cannot encode, as an escape."""
    text = _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def in_local_time(text: str) -> str:
    """The text with every UTC time (ISO 8601) in it as local time with its offset, for people."""

    def local(found: re.Match[str]) -> str:
        try:
            moment = datetime.fromisoformat(found[0].replace("Z", "+00:00"))
            return moment.astimezone().isoformat(sep=" ", timespec="seconds")
        except (ValueError, OverflowError, OSError):  # 2026-13-45 is text, not a time
            return found[0]

    return _UTC_TIME.sub(local, text)


def in_utc(moment: datetime) -> str:
    """The time for tools; one without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def cell_width(text: str) -> int:
    """How many columns of a terminal the text takes: Chinese characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def padded(text: str, width: int) -> str:
    """The text with blanks after it, up to this many columns."""
    return text + " " * (width - cell_width(text))


def wrapped(text: str, width: int) -> Iterator[str]:
    """The text in lines of at most ``width`` columns, broken at blanks, or between wide characters.

    A word that is longer than a line stays whole: it is a path or a URL, and somebody will copy it.
    """
    line = ""
    for piece in re.findall(
        r"\s*(?:[\u1100-\ud7ff\uf900-\ufaff\ufe30-\uffe6]|[^\s\u1100-\ud7ff\uf900-\ufaff\ufe30-\uffe6]+)",
        text,
    ):
        if line and cell_width(line + piece) > width:
            yield line
            line = piece.lstrip()
        else:
            line += piece
    if line:
        yield line
