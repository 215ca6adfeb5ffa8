"""Options for ``create_engine`` that come from text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import URL


class BadOptionError(ValueError):
    """Raised for a value that its option cannot have. The message goes on from the option's name."""


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadOptionError("must be a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadOptionError("must be a number of seconds") from None


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        raise BadOptionError("must be true or false")
    return word in {"true", "yes", "on", "1"}


def _echo(text: str) -> bool | str:
    return "debug" if text.strip().lower() == "debug" else _boolean(text)


ENGINE_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "pool_size": _integer,
    "max_overflow": _integer,
    "pool_timeout": _number,
    "pool_recycle": _integer,
    "pool_pre_ping": _boolean,
    "pool_use_lifo": _boolean,
    "echo": _echo,
    "echo_pool": _echo,
    "isolation_level": str,
}
"""Options that we hand over, and how their text is read."""

POOL_NAMES = {
    "size": "pool_size",
    "overflow": "max_overflow",
    "timeout": "pool_timeout",
    "recycle": "pool_recycle",
    "pre_ping": "pool_pre_ping",
    "use_lifo": "pool_use_lifo",
}
"""Short names inside a ``pool`` section."""

_POOL_SIZES = ("pool_size", "max_overflow", "pool_timeout", "pool_use_lifo")


def engine_option(name: str, text: str) -> Any:
    """
    :raises BadOptionError: the text is no value for this option.
    """
    return ENGINE_OPTIONS[name](text)


def for_dialect(options: Mapping[str, Any], dialect: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The options that mean something here, and the names of the others: some SQLite pools refuse sizes."""
    if dialect != "sqlite":
        return dict(options), ()
    return (
        {name: value for name, value in options.items() if name not in _POOL_SIZES},
        tuple(name for name in options if name in _POOL_SIZES),
    )


def with_utf8_password(url: URL, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the password as UTF-8 bytes: PyMySQL sends text as Latin-1, and servers hash UTF-8."""
    if not url.drivername.endswith("pymysql") or url.password is None or str(url.password).isascii():
        return dict(options)
    password = {"password": str(url.password).encode()}
    return {**options, "connect_args": {**password, **options.get("connect_args", {})}}
