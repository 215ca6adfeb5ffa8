"""The stock executable: adds our commands to ``alembic``. Runs inside every ``import alembic``.

Hence the standard library only, no exception ever, and next to nothing done until somebody builds a
``CommandLine``. ``alembic.config`` cannot be imported yet while ``setup`` runs, so a finder waits for it.
"""

from __future__ import annotations

import functools
import sys
import types
import warnings
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec

_TARGET = "alembic.config"


def setup(_plugin: object = None) -> None:
    """Called by Alembic while it is being imported. Calling it again changes nothing."""
    try:
        if _TARGET in sys.modules:
            _extend_command_line(sys.modules[_TARGET])
        elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
    except Exception as error:  # noqa: BLE001 - we run inside every program that imports alembic
        _warn(error)


def _extend_command_line(config_module: types.ModuleType) -> None:
    command_line = config_module.CommandLine
    original = command_line.__init__
    if getattr(original, "adds_alembic_ext", False):
        return

    @functools.wraps(original)
    def init(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        try:
            from alembic_ext.cli import add_commands  # noqa: PLC0415 - only those who use the command line pay

            add_commands(self)
        except Exception as error:  # noqa: BLE001 - Alembic goes on without us
            _warn(error)

    init.adds_alembic_ext = True  # type: ignore[attr-defined]
    command_line.__init__ = init


def _warn(error: Exception) -> None:
    message = f"alembic_ext: its commands are missing from alembic ({type(error).__name__}: {error})"
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    except Exception:  # noqa: BLE001 - warnings are errors here (-W error), and Alembic must not fail for us
        if sys.stderr is not None:
            sys.stderr.write(f"{message}\n")


class _Finder(MetaPathFinder):
    """Waits for ``alembic.config``: the others find it, we act once it has been executed. Then it is gone."""

    asking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _TARGET or self.asking:
            return None
        self.asking = True
        try:
            others = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
            specs = (finder.find_spec(name, path, target) for finder in others)
            spec = next((spec for spec in specs if spec is not None), None)
        finally:
            self.asking = False
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader, self)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        try:
            if self.finder in sys.meta_path:
                sys.meta_path.remove(self.finder)
            _extend_command_line(module)
        except Exception as error:  # noqa: BLE001 - see setup
            _warn(error)


class _PluginModule(types.ModuleType):
    """Alembic 1.18.0 to 1.20.0 iterates the entry point; from 1.20.1 it must be a module. This one is both."""

    def __iter__(self) -> Iterator[types.ModuleType]:
        return iter((self,))


sys.modules[__name__].__class__ = _PluginModule
