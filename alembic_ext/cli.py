"""The command line: the only module that reads argv, prints and exits.

``add_commands`` runs for every ``alembic ...`` command, so nothing is imported here that Alembic has not
imported already; what a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from alembic.config import CommandLine, Config
    from alembic.util import CommandError

    from alembic_ext.report import DoctorReport

NO_VERDICT = 2
INTERRUPTED = 130
TERMINATED = 143

_BEFORE_THE_COMMAND = (("-c", "--config"), ("-n", "--name"), ("-x",), ("--raiseerr",))
_DOCTOR_OPTIONS = [
    "output_format",
    "explain",
    "list_checks",
    "only",
    "skip",
    "fail_on",
    "require_head",
    "database",
    "verbose",
    "quiet",
    "runner_root",
    "invocation",
]
_NEED_NO_PROJECT = ("init", "list_templates")


def main(argv: Sequence[str] | None = None, *, root: Path | None = None) -> None:
    """Run any command, Alembic's or ours, on the same project from every working directory.

    :param root: the folder of the runner script: its ``alembic.ini`` counts where Alembic would take the
        working directory's.
    """
    from alembic.config import CommandLine  # noqa: PLC0415 - see the module's docstring
    from alembic.util import CommandError, err  # noqa: PLC0415

    command_line = CommandLine(prog=_program_as_text() if argv is None else "alembic")
    add_commands(command_line)
    options = command_line.parser.parse_args(argv)
    if not hasattr(options, "cmd"):
        command_line.parser.error("too few arguments")
    options.runner_root, options.invocation = root, _invocation(options)
    ours = options.cmd[0] is run_doctor
    try:
        config = _open_config(options, root, ours=ours)
    except CommandError as error:
        if ours:
            _say_error(error)
            sys.exit(NO_VERDICT)
        err(str(error), quiet=options.quiet)
        raise AssertionError("alembic.util.err exits") from error
    command_line.run_cmd(config, options)


def add_commands(command_line: CommandLine) -> None:
    """Add our commands to Alembic's. One that is already there stays as it is, with a warning."""
    taken = command_line.subparsers.choices.get("doctor")
    if taken is not None:
        if (taken.get_default("cmd") or (None,))[0] is not run_doctor and sys.stderr is not None:
            print(
                "alembic_ext: another 'alembic doctor' is installed already; ours is 'alembic-ext doctor'.",
                file=sys.stderr,
            )
        return
    parser = command_line.subparsers.add_parser(
        "doctor",
        help="Say what is wrong with the migrations, the version table and the settings. Never writes.",
        description="Look at the revision files, the settings and the database, and say what is wrong. Never writes.",
        epilog="Exit codes: 0 healthy, 1 findings, 2 no verdict (something could not be examined).",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--format", dest="output_format", choices=("text", "json"), default="text", help="form of the report")
    add("--explain", metavar="CODE", help="say what a check is about, by code or name, and stop")
    add("--list-checks", action="store_true", help="list all checks and stop")
    add("--only", metavar="CODE", action="extend", type=_codes, help="run only these checks (AX301,AX302)")
    add("--skip", metavar="CODE", action="extend", type=_codes, help="leave these checks out")
    add(
        "--fail-on",
        choices=("error", "warning", "info", "never"),
        default="error",
        help="the least severity that makes the exit code 1 (default: error)",
    )
    add("--require-head", action="store_true", help="pending revisions are an error")
    add("--database", metavar="NAME", help="look at this database only, where env.py serves several")
    add("-v", "--verbose", action="store_true", help="show every check, and where settings came from")
    add(
        "-q",
        "--quiet",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print nothing: the exit code says it",
    )
    for flags in _BEFORE_THE_COMMAND:
        add(*flags, action=_BelongsBeforeTheCommand, help=argparse.SUPPRESS)
    parser.set_defaults(cmd=(run_doctor, [], _DOCTOR_OPTIONS))


def run_doctor(config: Config, **options: Any) -> NoReturn:
    """The command ``doctor``: the report goes to stdout, all else to stderr, the verdict is the exit code."""
    from alembic.util import CommandError  # noqa: PLC0415 - see the module's docstring

    loud = bool(options["verbose"] or getattr(config.cmd_opts, "raiseerr", False))
    try:
        with _terminable():
            exit_code = _doctor(config, **options)
    except CommandError as error:
        _say_error(error, secrets=_secrets(config), loud=loud)
        exit_code = NO_VERDICT
    except _TerminatedError:
        _to_stderr("Terminated.")
        exit_code = TERMINATED
    except KeyboardInterrupt:
        _to_stderr("Interrupted.")
        exit_code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - our bug, which is no verdict on the project
        _say_crash(error, secrets=_secrets(config), loud=loud)
        exit_code = NO_VERDICT
    sys.exit(exit_code)


def _doctor(
    config: Config,
    *,
    output_format: str,
    explain: str | None,
    list_checks: bool,
    only: list[str] | None,
    skip: list[str] | None,
    fail_on: str,
    require_head: bool,
    database: str | None,
    verbose: bool,
    quiet: bool,
    runner_root: Path | None,
    invocation: tuple[str, ...] | None,
) -> int:
    if explain is not None or list_checks:
        from alembic_ext.report import explain as catalogue  # noqa: PLC0415

        if explain is not None:
            _print(catalogue.explain(explain))
        else:
            _print(catalogue.list_checks_as_json() if output_format == "json" else catalogue.list_checks())
        return 0
    with _stdout_for_the_report_only():
        from dataclasses import replace  # noqa: PLC0415

        from alembic_ext import commands  # noqa: PLC0415

        report = commands.doctor(
            config,
            database=database,
            only=tuple(only or ()),
            skip=tuple(skip or ()),
            fail_on=fail_on,
            require_head=require_head,
            root=runner_root,
        )
        begun = invocation or _invocation(config.cmd_opts)
        report = replace(report, invocation=begun, environment=_variables(config.cmd_opts))
    if not quiet:
        _show(report, output_format, verbose=verbose)
    return report.exit_code


# -- how the user began ------------------------------------------------------------------------------------


def _program() -> tuple[str, ...]:
    """What was typed before the arguments: ``alembic``, ``python -m alembic``, ``python run_alembic.py`` ..."""
    import shutil  # noqa: PLC0415 - see the module's docstring

    script = sys.argv[0]
    name = os.path.splitext(os.path.basename(script))[0]  # noqa: PTH122, PTH119 - a string as typed, not a path
    if name in ("alembic", "alembic-ext"):
        found = shutil.which(name)
        try:
            return (name,) if found and os.path.samefile(found, shutil.which(script) or script) else (script,)  # noqa: PTH121
        except OSError:
            return (name,)
    return tuple(sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1])


def _program_as_text() -> str:
    first, *rest = _program()
    return " ".join([os.path.basename(first), *rest])  # noqa: PTH119 - a string as typed, not a path


def _invocation(options: argparse.Namespace | None) -> tuple[str, ...]:
    """How commands must begin to mean the same: the program, then ``-c``, ``-n`` and ``-x`` as they were given."""
    begun = list(_program()) if "doctor" in sys.argv[1:] else ["alembic"]
    for file in getattr(options, "config", None) or ():
        begun += ["-c", file]
    name = getattr(options, "name", "alembic")
    if name != "alembic":
        begun += ["-n", name]
    for argument in getattr(options, "x", None) or ():
        begun += ["-x", argument]
    return tuple(begun)


def _variables(options: argparse.Namespace | None) -> tuple[tuple[str, str], ...]:
    """The variables that decided, and were not outdone by an option."""
    x = getattr(options, "x", None) or ()
    decided = {
        "ALEMBIC_CONFIG": not getattr(options, "config", None),
        "CONFIG_FILE": not any(argument.startswith("config_file=") for argument in x),
    }
    return tuple(
        (name, os.environ[name]) for name, it_did in decided.items() if it_did and os.environ.get(name)
    )


def _codes(text: str) -> list[str]:
    return text.replace(",", " ").split()


class _BelongsBeforeTheCommand(argparse.Action):
    """An option of Alembic's own that was typed after our command."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest, nargs="?", default=argparse.SUPPRESS, **settings)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse's interface
        values: object,
        option_string: str | None = None,
    ) -> None:
        program, _, command = parser.prog.rpartition(" ")
        value = f" {values}" if isinstance(values, str) else ""
        parser.error(
            f"{option_string} belongs before the command: {program} {option_string}{value} {command}"
        )


# -- the project -------------------------------------------------------------------------------------------


def _open_config(options: argparse.Namespace, root: Path | None, *, ours: bool) -> Config:
    """The ``Config`` as Alembic makes it, but of the project that our rules find, with the project on ``sys.path``.

    The working directory becomes the project root, so that a relative path in the ini or in a foreign env.py
    means the same from everywhere.
    """
    from alembic.config import Config  # noqa: PLC0415 - see the module's docstring

    ini, toml = _named_files(options)
    config = Config(file_=ini, toml_file=toml, ini_section=options.name, cmd_opts=options)
    if options.cmd[0].__name__ in _NEED_NO_PROJECT:
        return config
    from alembic_ext.settings import resolve_settings  # noqa: PLC0415
    from alembic_ext.settings.ini_file import load_parser  # noqa: PLC0415

    settings = resolve_settings(config, root=root)
    config.config_file_name = str(settings.ini or settings.ini_named or settings.root / "alembic.ini")
    config.toml_file_name = str(settings.toml or settings.root / "pyproject.toml")
    if options.config:
        options.config = [config.config_file_name, config.toml_file_name]
    if settings.ini is not None and not ours:  # the doctor reports an ini that cannot be read
        config.file_config = load_parser(settings.ini)
    os.chdir(settings.root)
    folders = [str(folder) for folder in settings.python_path]
    sys.path[:] = folders + [entry for entry in sys.path if entry not in folders]
    return config


def _named_files(options: argparse.Namespace) -> tuple[str, str]:
    """The ini and the pyproject.toml that were named, else the names that Alembic looks for."""
    from alembic_ext.errors import AlembicExtError  # noqa: PLC0415 - see the module's docstring

    names = options.config or [name for name in [os.environ.get("ALEMBIC_CONFIG")] if name]
    tomls = [name for name in names if os.path.basename(name) == "pyproject.toml"]  # noqa: PTH119 - a string as typed
    inis = [name for name in names if name not in tomls]
    if len(tomls) > 1 or len(inis) > 1:
        raise AlembicExtError(
            "-c names more than one ini, or more than one pyproject.toml.", hint="Name one of each."
        )
    return inis[0] if inis else "alembic.ini", tomls[0] if tomls else "pyproject.toml"


# -- what leaves this process ------------------------------------------------------------------------------


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM came. It ends whatever an interrupt would end."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that connections are closed, where nobody else handles it."""
    import signal  # noqa: PLC0415 - see the module's docstring

    def terminate(_number: int, _frame: object) -> NoReturn:
        raise _TerminatedError

    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    try:
        signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _stdout_for_the_report_only() -> Iterator[None]:
    """While the project's code runs, what it prints goes to stderr: from C code and from subprocesses too."""
    import atexit  # noqa: PLC0415 - see the module's docstring

    _flush_stdout()
    try:
        stdout = os.dup(1)
    except OSError:  # closed by whoever started us
        stdout = None
    _point_stdout_to_stderr()
    try:
        with redirect_stdout(sys.stderr):  # for a sys.stdout that is not file descriptor 1
            yield
    finally:
        _flush_stdout()
        if stdout is not None:
            os.dup2(stdout, 1)
            os.close(stdout)
        atexit.unregister(_end_stdout)
        atexit.register(_end_stdout)  # runs before what the project has registered, which may print too


def _end_stdout() -> None:
    _flush_stdout()
    _point_stdout_to_stderr()
    sys.stdout = sys.stderr


def _point_stdout_to_stderr() -> None:
    try:
        os.dup2(2, 1)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)


def _flush_stdout() -> None:
    for stream in (sys.stdout, sys.__stdout__):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue


def _show(report: DoctorReport, output_format: str, *, verbose: bool) -> None:
    """The report on stdout: JSON in UTF-8 always, text in what stdout can encode."""
    stream = sys.stdout
    if stream is None:
        return
    from alembic_ext.report import RENDERERS, text  # noqa: PLC0415 - see the module's docstring

    if output_format == "json":
        _print(RENDERERS["json"](report), utf_8=True)
        return
    import shutil  # noqa: PLC0415

    terminal = stream.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    encoding = stream.encoding or "utf-8"
    if not (terminal and _wants_colours()):
        _print(text.render(report, verbose=verbose, width=width, encoding=encoding))
        return
    from rich.console import Console  # noqa: PLC0415

    lines = text.compose(report, verbose=verbose, width=width, encoding=encoding)
    Console(file=stream, highlight=False).print(text.paint(lines), soft_wrap=True, end="")


def _wants_colours() -> bool:
    return not (os.environ.get("NO_COLOR") or os.environ.get("CI") or os.environ.get("TERM") == "dumb")


def _print(text: str, *, utf_8: bool = False) -> None:
    """Write to stdout, and never fail for a character that it cannot encode, nor for a reader that went away."""
    stream = sys.stdout
    if stream is None:
        return
    try:
        _write(stream, text, utf_8=utf_8)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # or Python would fail once more when it flushes at the end
        if not isinstance(error, BrokenPipeError):
            from alembic_ext.errors import AlembicExtError  # noqa: PLC0415 - see the module's docstring

            raise AlembicExtError(f"Standard output cannot be written: {error.strerror}.") from error


def _write(stream: TextIO, text: str, *, utf_8: bool) -> None:
    if utf_8 and hasattr(stream, "buffer"):
        stream.flush()
        stream.buffer.write(text.encode("utf-8", "backslashreplace"))
    else:
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _say_error(error: CommandError, *, secrets: Iterable[str] | None = (), loud: bool = False) -> None:
    """One sentence, and what to do; the traceback only for those who asked."""
    message, hint = getattr(error, "message", None) or str(error), getattr(error, "hint", None)
    if loud:
        _say_traceback(secrets)
    _to_stderr(f"error: {message}", secrets)
    if hint:
        _to_stderr(f"       {hint}", secrets)


def _say_crash(error: Exception, *, secrets: Iterable[str] | None, loud: bool) -> None:
    if loud:
        _say_traceback(secrets)
    what = type(error).__name__ if secrets is None else f"{type(error).__name__}: {error}"
    _to_stderr(
        f"error: The doctor itself failed ({what}). This is our bug: nothing is known about the project.",
        secrets,
    )
    if not loud:
        _to_stderr("       Run again with --verbose for the traceback.")


def _say_traceback(secrets: Iterable[str] | None) -> None:
    import traceback  # noqa: PLC0415 - see the module's docstring

    for line in traceback.format_exc().splitlines():
        if secrets is not None or line.startswith("  File "):
            _to_stderr(line.expandtabs(), secrets)


def _to_stderr(line: str, secrets: Iterable[str] | None = ()) -> None:
    from alembic_ext.redaction import redact  # noqa: PLC0415 - see the module's docstring
    from alembic_ext.report.escaping import visible  # noqa: PLC0415

    if sys.stderr is not None:
        encoding = sys.stderr.encoding or "utf-8"
        for part in redact(line, secrets or ()).splitlines():
            print(visible(part, encoding), file=sys.stderr)


def _secrets(config: Config) -> tuple[str, ...] | None:
    """What must not be shown of this project; ``None`` when that cannot be known, and then nothing is shown."""
    from alembic_ext.settings import resolve_settings  # noqa: PLC0415 - see the module's docstring

    try:
        return resolve_settings(config).secrets
    except Exception:  # noqa: BLE001 - we are failing already
        return None
