"""What we raise."""

from __future__ import annotations

from alembic.util import CommandError


class AlembicExtError(CommandError):
    """Anything we refuse or cannot do. Says what is so; the hint says what to do next.

    :param message: what is so, naming the thing. Never holds a secret.
    :param hint: the next command or edit, or ``None``.
    :param code: the code of the check that reports the same state (``AX101``), or ``None``.
    """

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint
        self.code = code
