"""The command line, in processes of its own: what it prints where, how it ends, and which project it means."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.config import CommandLine, Config
from alembic.util import CommandError

from alembic_ext import cli, commands
from tests.project import Project, environment
from tests.report.schema import departures

MakeProject = Callable[..., Project]
DOORS = ("plugin", "runner", "module", "script")
NOISE = """\
import atexit, ctypes, os, subprocess, sys
print("from print")
sys.__stdout__.write("from the original stdout\\n")
os.write(1, b"from a file descriptor\\n")
subprocess.run(["echo", "from a subprocess"], check=True)
ctypes.CDLL(None).puts(b"from C")
atexit.register(print, "from atexit")
"""
SOURCES_OF_NOISE = ("print", "the original stdout", "a file descriptor", "a subprocess", "C", "atexit")


@pytest.fixture
def healthy(project: MakeProject) -> Project:
    return project(at="head")


def command_line() -> CommandLine:
    """Alembic's command line with our commands, whether the plugin is installed or not."""
    line = CommandLine()
    cli.add_commands(line)
    return line


# -- what is printed where ---------------------------------------------------------------------------------


def test_every_door_reports_the_same(healthy: Project) -> None:
    runs = [healthy.doctor(door=door).expect(0).json for door in DOORS]
    for run in runs:
        for check in run["checks"]:
            check["duration_ms"] = 0

    assert departures(runs[0]) == []
    assert runs[0]["summary"]["checks"] > 20
    assert all(run == runs[0] for run in runs)


def test_text_names_the_target_and_the_head(healthy: Project) -> None:
    lines = healthy.doctor(json=False).expect(0).stdout.splitlines()

    assert lines[0].startswith(f"sqlite  {healthy.root / 'app.db'}   from ")
    assert lines[-1].endswith('Database is at ccc3 "revision ccc3", the only head.')


@pytest.mark.parametrize("door", ["plugin", "runner"])
def test_what_the_project_prints_never_reaches_stdout(project: MakeProject, door: str) -> None:
    """JSON that a program prints into is no JSON: from Python, from C, from a child, or at the very end."""
    noisy = project(at="head", env={"top": NOISE})

    run = noisy.doctor(door=door).expect(0)
    assert run.json["ok"]
    for source in SOURCES_OF_NOISE:
        assert f"from {source}" in run.stderr


def test_quiet_prints_nothing_and_keeps_the_exit_code(healthy: Project) -> None:
    for run in (
        healthy.doctor("-q", json=False),
        healthy.doctor(options=("-q",), json=False),
        healthy.doctor("--quiet", "--format", "json", json=False),
    ):
        assert (run.exit_code, run.stdout) == (0, "")
    healthy.sql("DELETE FROM alembic_version")
    assert (healthy.doctor("-q", json=False).exit_code, healthy.doctor("-q", json=False).stdout) == (1, "")


def test_the_format_does_not_change_the_exit_code(project: MakeProject) -> None:
    behind = project(at="aaa1")

    for arguments, expected in (((), 0), (("--require-head",), 1), (("--fail-on", "info"), 1)):
        assert behind.doctor(*arguments).exit_code == expected
        assert behind.doctor(*arguments, json=False).exit_code == expected
    assert behind.doctor("--require-head", "--fail-on", "never").exit_code == 0


def test_only_and_skip_take_codes_and_slugs_in_lists_and_repeated(healthy: Project) -> None:
    run = healthy.doctor("--only", "ax301,Revision-Not-Found", "--only", "AX302 AX304", "--skip", "unstamped")

    assert [check["code"] for check in run.expect(0).json["checks"]] == ["AX301", "AX304"]


def test_an_unknown_check_is_one_sentence(healthy: Project) -> None:
    run = healthy.doctor("--only", "AX000").expect(2)

    assert run.stdout == ""
    assert run.stderr.startswith("error: No check is called 'AX000'.\n       ")
    assert "Traceback" not in run.stderr
    assert "Traceback" in healthy.doctor("--only", "AX000", "--verbose").expect(2).stderr
    assert "Traceback" in healthy.doctor("--only", "AX000", options=("--raiseerr",)).expect(2).stderr


@pytest.mark.parametrize("door", DOORS)
def test_no_project_is_one_sentence(healthy: Project, tmp_path: Path, door: str) -> None:
    """Also for the runner, whose own folder has no project then; and Alembic's own exit code 255 is not ours."""
    empty = tmp_path / "empty"
    empty.mkdir()
    nowhere = Project(empty, healthy.url)

    run = nowhere.doctor(door=door).expect(2)
    assert run.stdout == ""
    assert run.stderr.startswith("error: There is no Alembic project here")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("misplaced", "complaint"),
    [
        pytest.param(("-x", "a=b"), "-x belongs before the command: alembic -x a=b doctor", id="x"),
        pytest.param(("-xa=b",), "-x belongs before the command: alembic -x a=b doctor", id="x-joined"),
        pytest.param(("-c", "b.ini"), "-c belongs before the command: alembic -c b.ini doctor", id="c"),
        pytest.param(("--config=b.ini",), "--config belongs before the command", id="config"),
        pytest.param(("-n", "other"), "-n belongs before the command: alembic -n other doctor", id="n"),
        pytest.param(
            ("--raiseerr",), "--raiseerr belongs before the command: alembic --raiseerr doctor", id="raiseerr"
        ),
    ],
)
def test_options_of_alembic_after_our_command_get_a_hint(
    healthy: Project, misplaced: tuple[str, ...], complaint: str
) -> None:
    run = healthy.doctor(*misplaced).expect(2)

    assert complaint in run.stderr
    assert run.stdout == ""


def test_explaining_needs_no_project(tmp_path: Path, healthy: Project) -> None:
    for door in ("plugin", "script"):
        run = healthy.doctor("--explain", "ax301", door=door, cwd=tmp_path, json=False).expect(0)
        assert run.stdout.startswith("AX301 revision-not-found   error, repair: safe\n\nWhat it does\n")
    listed = healthy.doctor("--list-checks", cwd=tmp_path, json=False).expect(0).stdout.splitlines()
    as_json = healthy.doctor("--list-checks", cwd=tmp_path).expect(0).json["checks"]
    assert [line[:5] for line in listed] == [check["code"] for check in as_json]
    assert "No check is called 'AX000'" in healthy.doctor("--explain", "AX000", json=False).expect(2).stderr


def test_help_lists_what_exists_and_nothing_else(healthy: Project) -> None:
    for command in ("alembic", "alembic_ext"):
        text = healthy.execute(sys.executable, "-m", command, "--help").expect(0).stdout
        assert "doctor" in text
        assert "resync" not in text
        assert "rebuild" not in text


# -- every locale, every stream ----------------------------------------------------------------------------

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None}


@pytest.mark.parametrize("door", DOORS)
def test_chinese_everywhere_where_the_locale_knows_none(project: MakeProject, door: str) -> None:
    chinese = project(at="head")
    chinese.revision("ddd4", "ccc3", message="加入优惠券", name="ddd4_加入优惠券.py")

    run = chinese.doctor(door=door, env=ASCII).expect(0)
    (finding,) = run.json["findings"]
    assert "加入优惠券" in finding["summary"]
    text = chinese.doctor(door=door, env=ASCII, json=False).expect(0).stdout
    assert text.isascii()
    assert r"\u52a0\u5165\u4f18\u60e0\u5238" in text
    assert "加入优惠券" in chinese.doctor(door=door, env={"LC_ALL": "C.UTF-8"}, json=False).stdout


def test_a_reader_that_goes_away_is_no_error(healthy: Project) -> None:
    """``alembic doctor -v | head -1`` in a script with pipefail."""
    command = shlex.join([sys.executable, "-m", "alembic_ext", "doctor", "-v"])
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
        cwd=healthy.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "0\n"
    assert "BrokenPipe" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_that_cannot_be_written_is_no_verdict(healthy: Project) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "alembic_ext", "doctor"],
            cwd=healthy.root,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr == "error: Standard output cannot be written: No space left on device.\n"
    assert "Exception ignored" not in done.stderr


def test_a_closed_stdout_is_no_error(healthy: Project) -> None:
    command = shlex.join([sys.executable, "-m", "alembic_ext", "doctor"])

    run = healthy.execute("bash", "-c", f"{command} >&-")
    assert (run.exit_code, run.stdout) == (0, "")
    assert "Traceback" not in run.stderr


def on_a_terminal(project: Project, **variables: str | None) -> str:
    """What the doctor writes to a terminal of 100 columns."""
    import pty

    ours, theirs = pty.openpty()
    variables = {"NO_COLOR": None, "CI": None, "TERM": "xterm-256color", "COLUMNS": "100", **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic_ext", "doctor"],
        cwd=project.root,
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says end of file so
            part = b""
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait() == 0
    return written.decode().replace("\r\n", "\n")


def test_colours_on_a_terminal_and_nowhere_else(project: MakeProject) -> None:
    behind = project(at="aaa1")
    plain = behind.doctor(json=False).stdout

    coloured = on_a_terminal(behind)
    assert "\x1b[36mnote" in coloured
    for variables in ({"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}):
        shown = on_a_terminal(behind, **variables)
        assert "\x1b" not in shown
        assert [line.split() for line in shown.splitlines()][:1] == [
            line.split() for line in plain.splitlines()
        ][:1]
    assert "\x1b" not in plain


# -- how it ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "exit_code", "word"),
    [
        pytest.param(signal.SIGINT, 130, "Interrupted.", id="interrupt"),
        pytest.param(signal.SIGTERM, 143, "Terminated.", id="terminate"),
    ],
)
@pytest.mark.parametrize("swallowed_as", ["Exception", "SystemExit"])
def test_signals(
    project: MakeProject, number: signal.Signals, exit_code: int, word: str, swallowed_as: str
) -> None:
    """A signal ends the doctor also while env.py runs, which may catch what it likes of its own."""
    waiting = "import pathlib, time\ntry:\n    pathlib.Path('running').touch(); time.sleep(60)\n"
    slow = project(env={"top": f"{waiting}except {swallowed_as}:\n    pass\n"})
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic_ext", "doctor"],
        cwd=slow.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while not (slow.root / "running").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stdout) == (exit_code, "")
    assert word in stderr
    assert "Traceback" not in stderr


def test_our_own_failure_is_said_without_secrets(
    healthy: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No verdict, one sentence, and no password: not of the project, and not where the project cannot be read."""
    secret = "p%w@r:d/#é"
    healthy.write_config(
        f"database:\n  type: mysql\n  mysql: {{host: h, database: d, username: u, password: '{secret}'}}\n"
    )

    def failing(*_arguments: object, **_options: object) -> None:
        print("from the library")
        raise RuntimeError(f"cannot use {secret}")

    monkeypatch.setattr(commands, "doctor", failing)
    for arguments in (["doctor"], ["doctor", "--verbose"], ["--raiseerr", "doctor"]):
        with pytest.raises(SystemExit) as caught:
            command_line().main(["-c", str(healthy.ini), *arguments])
        shown = capfd.readouterr()
        assert caught.value.code == 2
        assert shown.out == ""
        assert "error: The doctor itself failed (RuntimeError: cannot use ***). This is our bug" in shown.err
        assert "p%w" not in shown.err
        assert ("Traceback" in shown.err) == (len(arguments) > 1)


def test_alembics_own_errors_leave_through_our_exit_code(
    healthy: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(*_arguments: object, **_options: object) -> None:
        raise CommandError("something of Alembic's\x1b[2J")

    monkeypatch.setattr(commands, "doctor", failing)
    with pytest.raises(SystemExit) as caught:
        command_line().main(["-c", str(healthy.ini), "doctor"])
    shown = capfd.readouterr()
    assert caught.value.code == 2
    assert (shown.out, shown.err) == ("", "error: something of Alembic's\\x1b[2J\n")


def test_stdout_is_given_back(healthy: Project, capfd: pytest.CaptureFixture[str]) -> None:
    """Somebody may call Alembic's command line from a program of theirs."""
    with pytest.raises(SystemExit) as caught:
        command_line().main(["-c", str(healthy.ini), "doctor"])
    print("still here")
    os.write(1, b"and here\n")

    assert caught.value.code == 0
    assert capfd.readouterr().out.endswith("still here\nand here\n")


# -- beside Alembic ----------------------------------------------------------------------------------------


def test_a_command_name_that_is_taken_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def doctor(config: Config) -> None:
        """Somebody else's doctor."""

    line = CommandLine()
    line.subparsers.choices.pop("doctor", None)
    line.register_command(doctor)
    cli.add_commands(line)

    assert line.parser.parse_args(["doctor"]).cmd[0] is doctor
    assert "another 'alembic doctor' is installed already" in capsys.readouterr().err


def test_adding_commands_twice_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    line = command_line()
    cli.add_commands(line)

    assert line.parser.parse_args(["doctor"]).cmd[0] is cli.run_doctor
    assert capsys.readouterr().err == ""


def test_adding_commands_loads_nothing_of_ours(healthy: Project) -> None:
    """It runs for every ``alembic ...`` command."""
    program = (
        "import sys; from alembic.config import CommandLine; before = set(sys.modules); line = CommandLine()\n"
        "from alembic_ext.cli import add_commands; add_commands(line)\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    loaded = healthy.execute(sys.executable, "-c", program).expect(0).stdout.split()

    assert set(loaded) <= {"alembic_ext", "alembic_ext.cli"}


def test_the_text_report_loads_no_rich_where_there_is_no_terminal(healthy: Project) -> None:
    program = (
        "import sys\nfrom alembic_ext.cli import main\n"
        "try:\n    main(['doctor'])\nexcept SystemExit:\n    print('rich' in sys.modules)\n"
    )

    assert healthy.execute(sys.executable, "-c", program).stdout.splitlines()[-1] == "False"


# -- commands to paste -------------------------------------------------------------------------------------


def pasted(run_json: dict[str, Any]) -> str:
    (finding,) = run_json["findings"]
    command: str = finding["next_actions"][0]["command"]
    return command


def scripts_on_path() -> dict[str, str]:
    return {"PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])}


def test_commands_begin_as_the_user_began_and_can_be_pasted(project: MakeProject, tmp_path: Path) -> None:
    """The command that the report prints is run by a shell in the same place, and does what it says."""
    behind = project(name="my shop", at="aaa1")
    behind.write_runner()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    behind.write_config(f"database: {behind.root / 'app.db'}", "conf/店 1.yml")
    ini = os.path.relpath(behind.ini, elsewhere)
    named = {"CONFIG_FILE": "conf/店 1.yml"}
    python = Path(sys.executable).name

    for where, begun, variables, expected in (
        (behind.root, "alembic", {}, "alembic upgrade head"),
        (behind.root, f"{python} -m alembic", {}, f"{python} -m alembic upgrade head"),
        (behind.root, f"{python} -m alembic_ext", named, f"CONFIG_FILE='conf/店 1.yml' {python} -m alembic_ext upgrade head"),
        (behind.root, f"{python} run_alembic.py", {}, f"{python} run_alembic.py upgrade head"),
        (elsewhere, f"alembic -c '{ini}'", {}, f"alembic -c '{ini}' upgrade head"),
        (elsewhere, f"{python} -m alembic_ext -c '{ini}' -x a=b", {}, f"{python} -m alembic_ext -c '{ini}' -x a=b upgrade head"),
        (
            elsewhere,
            f"{python} '../my shop/run_alembic.py' -x 'config_file=conf/店 1.yml'",
            named,
            f"{python} '../my shop/run_alembic.py' -x 'config_file=conf/店 1.yml' upgrade head",
        ),
        (
            elsewhere,
            f"{python} -m alembic_ext",
            {"ALEMBIC_CONFIG": ini},
            f"ALEMBIC_CONFIG='{ini}' {python} -m alembic_ext upgrade head",
        ),
    ):  # fmt: skip
        run = behind.execute(
            "sh", "-c", f"{begun} doctor --format json", cwd=where, env={**variables, **scripts_on_path()}
        ).expect(0)
        assert pasted(run.json) == expected
        if "-m alembic " not in begun and not begun.startswith(
            "alembic"
        ):  # those need the root to be the cwd
            behind.execute("sh", "-c", pasted(run.json), cwd=where, env=scripts_on_path()).expect(0)
            assert behind.sql("SELECT version_num FROM alembic_version") == [("ccc3",)]
            behind.execute(
                "sh", "-c", f"{begun} downgrade aaa1", cwd=where, env={**variables, **scripts_on_path()}
            ).expect(0)


# -- the runner --------------------------------------------------------------------------------------------


@pytest.fixture
def relative(project: MakeProject) -> Project:
    """A project that Alembic can use only from its own folder: everything in it is relative to it."""
    found = project(
        url="sqlite:///app.db",
        models=True,
        ini={"script_location": "migrations", "version_locations": "migrations/versions:more/versions"},
    )
    found.revision("ddd4", "ccc3", folder="more/versions")
    found.write_runner()
    return found


@pytest.mark.parametrize("door", ["runner", "module", "script"])
def test_everything_relative_means_the_project_from_everywhere(
    relative: Project, tmp_path: Path, door: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, str(relative.root / "run_alembic.py")]
    if door != "runner":
        command = [sys.executable, "-m", "alembic_ext", "-c", os.path.relpath(relative.ini, elsewhere)]

    relative.execute(*command, "upgrade", "head", cwd=elsewhere).expect(0)
    assert "ddd4" in relative.execute(*command, "current", cwd=elsewhere).expect(0).stdout
    assert relative.doctor(door=door, cwd=elsewhere).expect(0).json["databases"][0]["record"]["rows"] == [
        "ddd4"
    ]
    assert (relative.root / "app.db").exists()
    assert list(elsewhere.iterdir()) == []


def test_alembic_config_names_the_project_for_every_command(relative: Project, tmp_path: Path) -> None:
    variables = {"ALEMBIC_CONFIG": os.path.relpath(relative.ini, tmp_path)}

    run = relative.execute(sys.executable, "-m", "alembic_ext", "heads", cwd=tmp_path, env=variables).expect(
        0
    )
    assert "ddd4" in run.stdout


@pytest.mark.parametrize("door", ["runner", "module"])
@pytest.mark.parametrize(
    "from_path", [pytest.param(None, id="plain"), pytest.param("PYTHONPATH", id="on-PYTHONPATH")]
)
def test_a_folder_called_alembic_never_hides_the_library(
    project: MakeProject, door: str, from_path: str | None
) -> None:
    """Not even when somebody made a package of it."""
    shadowing = project(environment="alembic", at="head")
    shadowing.write("alembic/__init__.py", "")
    shadowing.write_runner()
    command = ["run_alembic.py"] if door == "runner" else ["-m", "alembic_ext"]
    variables = {from_path: str(shadowing.root)} if from_path else {}

    run = shadowing.execute(sys.executable, *command, "heads", env=variables).expect(0)
    assert "ccc3 (head)" in run.stdout


def test_the_project_is_importable_in_env_py_and_revisions(relative: Project, tmp_path: Path) -> None:
    relative.write("shop/names.py", "TABLE = 't9'\n")
    relative.revision(
        "eee5", "ddd4", "import shop.names; op.create_table(shop.names.TABLE, sa.Column('id', sa.Integer()))"
    )

    relative.execute(
        sys.executable, str(relative.root / "run_alembic.py"), "upgrade", "head", cwd=tmp_path
    ).expect(0)
    assert Project(relative.root, f"sqlite:///{relative.root / 'app.db'}").sql("SELECT * FROM t9") == []


def test_stock_commands_keep_alembics_exit_codes(healthy: Project) -> None:
    healthy.write_runner()

    for arguments, exit_code in ((("upgrade", "nonsense"), 255), (("heads",), 0), ((), 2), (("no-such",), 2)):
        ours = healthy.execute(sys.executable, "run_alembic.py", *arguments)
        stock = healthy.alembic(*arguments)
        assert (ours.exit_code, stock.exit_code) == (exit_code, exit_code)
        assert ours.stdout == stock.stdout


def test_naming_two_inis_is_refused_in_each_commands_own_way(healthy: Project) -> None:
    twice = ("-c", "alembic.ini", "-c", "other.ini")

    stock = healthy.execute(sys.executable, "-m", "alembic_ext", *twice, "heads").expect(255)
    assert stock.stdout.startswith("FAILED: -c names more than one ini")
    ours = healthy.execute(sys.executable, "-m", "alembic_ext", *twice, "doctor").expect(2)
    assert (ours.stdout, ours.stderr.splitlines()[0]) == (
        "",
        "error: -c names more than one ini, or more than one pyproject.toml.",
    )


def test_init_writes_where_the_user_is(healthy: Project, tmp_path: Path) -> None:
    healthy.write_runner()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    healthy.execute(
        sys.executable, str(healthy.root / "run_alembic.py"), "init", "migrations", cwd=elsewhere
    ).expect(0)
    assert {path.name for path in elsewhere.iterdir()} == {"alembic.ini", "migrations"}


def test_an_ini_with_chinese_is_read_in_every_locale(healthy: Project) -> None:
    """Alembic reads it in the locale's encoding, and stops."""
    healthy.write("alembic.ini", "# 配置\n" + healthy.ini.read_text(encoding="utf-8"))
    ascii_env = {**ASCII, "LC_ALL": "C"}

    assert healthy.alembic("heads", env=ascii_env).exit_code != 0
    run = healthy.execute(sys.executable, "-m", "alembic_ext", "heads", env=ascii_env).expect(0)
    assert "ccc3 (head)" in run.stdout


def test_a_project_in_pyproject_toml(project: MakeProject, tmp_path: Path) -> None:
    toml = project(helper="")
    toml.ini.unlink()
    toml.write("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    toml.write_config("database: ./app.db")
    named = os.path.relpath(toml.root / "pyproject.toml", tmp_path)

    for where, options in ((toml.root, ()), (tmp_path, ("-c", named))):
        run = toml.execute(
            sys.executable, "-m", "alembic_ext", *options, "upgrade", "head", cwd=where
        ).expect(0)
        current = toml.execute(sys.executable, "-m", "alembic_ext", *options, "current", cwd=where).expect(0)
        assert "ccc3 (head)" in current.stdout, str(run)


def test_json_is_one_object_and_nothing_else(healthy: Project) -> None:
    text = healthy.doctor().expect(0).stdout

    assert text.startswith("{\n")
    assert text.endswith("}\n")
    assert isinstance(json.loads(text), dict)
