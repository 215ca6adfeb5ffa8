"""The two things to do with a fresh checkout, with nothing but Python 3.10 and git.

    python3 make.py demo    install into .venv, create the sample shop's database, run the doctor on it
    python3 make.py test    run the whole test suite, on the oldest and the newest Alembic we support

What is missing on the machine is installed from Debian's packages when this runs as root; else it is named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
BUILD = CHECKOUT / "build"
ALEMBICS: Mapping[str, Sequence[str]] = {
    "oldest": ("alembic==1.18.0", "sqlalchemy==2.0.*"),
    "newest": ("alembic", "sqlalchemy"),
}
SERVER_PACKAGES = {"mariadb": ("mariadb-server-core", "mariadb-client"), "postgresql": ("postgresql",)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="install, create the sample database, run the doctor on it")
    test = commands.add_parser(
        "test", help="run the whole test suite; further arguments go to pytest", allow_abbrev=False
    )
    test.add_argument(
        "--without",
        default="",
        metavar="SERVERS",
        help="leave out the tests that need mariadb, postgresql, or both (mariadb,postgresql)",
    )
    test.add_argument("--only", choices=sorted(ALEMBICS), help="on this Alembic only, instead of both")
    options, further = parser.parse_known_args()
    if sys.version_info < (3, 10):  # noqa: UP036 - whoever runs this may have an older one
        raise SystemExit("Python 3.10 or later is needed.")
    if options.command == "demo":
        if further:
            parser.error(f"unknown arguments: {' '.join(further)}")
        demo()
    else:
        without = [name for name in options.without.split(",") if name]
        if unknown := set(without) - set(SERVER_PACKAGES):
            parser.error(f"--without: unknown server {', '.join(sorted(unknown))}")
        test_suite([options.only] if options.only else list(ALEMBICS), without, further)


def demo() -> None:
    """What a new user would do, on the sample project."""
    install_packages(python_packages())
    venv = virtual_environment(CHECKOUT / ".venv")
    pip(venv, str(CHECKOUT))
    for arguments in (["upgrade", "head"], ["doctor"]):
        say(f"alembic {' '.join(arguments)}")
        run([venv / "bin" / "alembic", *arguments])
    say("Now yours: .venv/bin/alembic -c path/to/alembic.ini doctor")


def test_suite(alembics: Sequence[str], without: Sequence[str], further: Sequence[str]) -> None:
    """Test the built wheel on each Alembic, from a copy of the checkout that lacks the package's source."""
    install_packages(
        [
            *python_packages(),
            *(
                package
                for server, packages in SERVER_PACKAGES.items()
                if server not in without and not server_is_installed(server)
                for package in packages
            ),
        ]
    )
    wheel = None
    results = {}
    for name in alembics:
        venv = virtual_environment(BUILD / f"venv-{name}")
        wheel = wheel or build_wheel(venv)
        say(f"Alembic, {name}: install")
        pip(venv, f"{wheel}[dev,postgresql]", *ALEMBICS[name], *(["--upgrade"] if name == "newest" else []))
        pip(venv, "--force-reinstall", "--no-deps", str(wheel))
        with tempfile.TemporaryDirectory(prefix="alembic-ext-checkout-") as folder:
            copy = Path(folder) / "alembic-ext"
            copy_without_source(copy)
            say(f"Alembic, {name}: test")
            results[name] = subprocess.run(
                [
                    str(venv / "bin" / "python"),
                    "-m",
                    "pytest",
                    f"--numprocesses={os.cpu_count() or 1}",
                    f"--basetemp={Path(folder) / 'temp'}",
                    *([f"--without={','.join(without)}"] if without else []),
                    *further,
                ],
                cwd=copy,
                env=clean_environment(),
                check=False,
            ).returncode
    for name, code in results.items():
        say(f"Alembic, {name}: {'passed' if code == 0 else f'FAILED (pytest ended with {code})'}")
    for server in without:
        say(f"NOT RUN: everything that needs {server}, because of --without")
    if any(results.values()):
        raise SystemExit(1)


def copy_without_source(target: Path) -> None:
    """Everything but ``alembic_ext/`` and what is not under version control."""
    left_out = shutil.ignore_patterns(
        "__pycache__", ".git", ".*_cache", ".hypothesis", "*.db", ".alembic_ext"
    )
    top = {"alembic_ext", "build", "dist", ".venv"}

    def ignore(folder: str, names: list[str]) -> Iterable[str]:
        return left_out(folder, names) | (top & set(names) if Path(folder) == CHECKOUT else set())

    shutil.copytree(CHECKOUT, target, ignore=ignore)


def build_wheel(venv: Path) -> Path:
    """The wheel of this checkout."""
    shutil.rmtree(BUILD / "dist", ignore_errors=True)
    run(
        [
            venv / "bin" / "python",
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "-w",
            BUILD / "dist",
            CHECKOUT,
        ]
    )
    (wheel,) = (BUILD / "dist").glob("*.whl")
    return wheel


def virtual_environment(path: Path) -> Path:
    """The virtual environment at this place, made anew when it is missing or broken."""
    python = path / "bin" / "python"
    version = "{}.{}".format(*sys.version_info)
    works = python.exists() and subprocess.run(
        [str(python), "-c", "import sys, pip; print('{}.{}'.format(*sys.version_info))"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split() == [version]
    if not works:
        say(f"make {path.relative_to(CHECKOUT)}")
        run([sys.executable, "-m", "venv", "--clear", path])
    return path


def pip(venv: Path, *arguments: str) -> None:
    run([venv / "bin" / "python", "-m", "pip", "install", "--quiet", *arguments])


def python_packages() -> list[str]:
    """Debian keeps part of ``venv`` in a package of its own."""
    return [] if find_spec("ensurepip") and find_spec("venv") else ["python3-venv"]


def server_is_installed(server: str) -> bool:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    if server == "mariadb":
        return all(
            shutil.which(program, path=path) for program in ("mariadbd", "mariadb-install-db", "mariadb-dump")
        )
    return bool([*Path("/usr/lib/postgresql").glob("*/bin/initdb")] or shutil.which("initdb", path=path))


def install_packages(packages: Sequence[str]) -> None:
    """Install Debian packages, or say which are missing and why that is the end."""
    if not packages:
        return
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        servers = [name for name, needed in SERVER_PACKAGES.items() if set(needed) & set(packages)]
        hint = f", or leave their tests out: --without {','.join(servers)}" if servers else ""
        raise SystemExit(
            f"Missing on this machine: {' '.join(packages)}.\nInstall them (apt-get install, as root){hint}."
        )
    say(f"apt-get install {' '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=quiet)


def clean_environment() -> dict[str, str]:
    """Nothing of the caller's may lead to the source tree."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "ALEMBIC_EXT_FROM_SOURCE"}
    }


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
    """Run a command in the checkout; end as it ends when it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=CHECKOUT, env=env or clean_environment(), check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)


def say(text: str) -> None:
    print(f"\n==> {text}", flush=True)


if __name__ == "__main__":
    main()
