"""A fact that could not be had is a value too. It is never health."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unavailable:
    """The fact could not be had: checks that need it are skipped.

    :param reason: one sentence.
    :param because: the code of the check that reports the cause (``AX108``), or ``None``.
    """

    reason: str
    because: str | None = None


@dataclass(frozen=True)
class NotApplicable:
    """There is nothing to look at here (another engine, no git repository, an empty list of unknown ids).

    :param notable: the reader should be told, although no verdict depends on it.
    """

    reason: str
    notable: bool = False
