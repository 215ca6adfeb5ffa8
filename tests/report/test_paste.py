from __future__ import annotations

import shlex

import pytest

from alembic_ext.report.paste import pasteable
from tests.report import samples

AS_BEGUN = samples.healthy(
    invocation=("python", "-m", "alembic", "-c", "conf/my alembic.ini", "-x", "config_file=a b.yml"),
    environment=(("CONFIG_FILE", "conf/dev $1.yml"),),
)


def test_a_command_begins_as_the_user_began() -> None:
    command = pasteable("alembic upgrade head", AS_BEGUN)

    assert shlex.split(command) == [
        "CONFIG_FILE=conf/dev $1.yml",
        *("python", "-m", "alembic", "-c", "conf/my alembic.ini", "-x", "config_file=a b.yml"),
        *("upgrade", "head"),
    ]


def test_each_line_of_a_recipe_begins_as_the_user_began() -> None:
    report = samples.healthy(invocation=("alembic-ext",))

    assert (
        pasteable("alembic heads\nalembic upgrade head", report)
        == "alembic-ext heads\nalembic-ext upgrade head"
    )


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("git log -- alembic versions", id="an-argument"),
        pytest.param("alembic-ext doctor", id="another-program"),
        pytest.param("alembic_ext", id="a-package"),
        pytest.param("DELETE FROM alembic_version", id="sql"),
    ],
)
def test_other_commands_stay(command: str) -> None:
    assert pasteable(command, AS_BEGUN) == command
