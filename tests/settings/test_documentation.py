"""What docs/settings.md shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.settings.asking import ask_yaml

TEXT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
EXAMPLES = [
    block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if block.startswith("database")
]
EXPECTED = [
    "sqlite:///{root}/data/app.db",
    "mysql+pymysql://app:secret@db1/shop",
    "postgresql+psycopg://app:word@db1/shop",
    "mysql+pymysql://app:word@localhost:3306/shop?charset=utf8mb4",
    "mysql+pymysql://app:word@db1:3306/shop?charset=utf8mb4",
]


@pytest.mark.parametrize(("example", "expected"), list(zip(EXAMPLES, EXPECTED, strict=True)))
def test_every_example_works(tmp_path: Path, example: str, expected: str) -> None:
    settings = ask_yaml(tmp_path, example, {"PASSWORD": "word", "MYSQL_PASSWORD": "word"})

    assert settings.problems == ()
    assert settings.passed_over == ()
    url = settings.require_database().url
    assert url.render_as_string(hide_password=False) == expected.format(root=tmp_path)
