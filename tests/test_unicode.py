"""Chinese in every place where a name can stand, in every locale, through every door.

Where the locale is C *and* Python is told not to use UTF-8 (``PYTHONUTF8=0``, no coercion), Python itself cannot
open a file by a name that is not ASCII, unless it got the name from the system. Then everything that is said is
still readable, and nothing ends in a traceback.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import DOORS, Project

CONFIGURATION = "配置/数据库.yaml"
LOCALES: dict[str, dict[str, str | None]] = {
    "UTF-8": {"LC_ALL": "C.UTF-8"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": None, "PYTHONCOERCECLOCALE": None},
    "C in UTF-8 mode": {"LC_ALL": "C", "PYTHONUTF8": "1", "PYTHONCOERCECLOCALE": "0"},
}
ASCII: dict[str, str | None] = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
MODELS = """\
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class 订单(Base):
    __tablename__ = "订单"
    编号 = sa.Column(sa.Integer, primary_key=True)
    备注 = sa.Column(sa.String(50), comment="客户说的话")
"""


def written_in_chinese(root: Path, *, models: str, url: str) -> Project:
    """A project whose revision files, tables, columns, comments, messages and branch label are Chinese."""
    project = Project.create(root, helper=f'"{models}:Base"', revisions=(), url=url)
    project.write(f"{models}.py", MODELS)
    project.revision(
        "a1",
        None,
        'op.create_table("订单", sa.Column("编号", sa.Integer(), primary_key=True),\n'
        '    sa.Column("备注", sa.String(50), comment="客户说的话"))  # 建表',
        downgrade='op.drop_table("订单")',
        message="新建订单表",
        name="a1_新建订单表.py",
        branch_labels="商店",
    )
    project.revision(
        "b2",
        "a1",
        "op.execute(\"INSERT INTO 订单 (编号, 备注) VALUES (1, '多谢')\")",
        message="加入第一张订单",
        name="b2_加入第一张订单.py",
    )
    return project


@pytest.fixture
def chinese(tmp_path: Path) -> Project:
    """Its folders, its configuration file and its models too."""
    root = tmp_path / "项目" / "商店"
    project = written_in_chinese(root, models="模型", url=f"sqlite:///{root}/数据/商店.db")
    project.write_ini({"sqlalchemy.url": ""})
    project.write("数据/.gitkeep", "")
    project.write_config(
        "# 测试\nexpect: {database: 商店.db}\ndatabase: {type: sqlite, sqlite: {path: ./数据/商店.db}}\n",
        CONFIGURATION,
    )
    return project


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("door", DOORS)
def test_everything_works_in_chinese(chinese: Project, door: str, locale: str) -> None:
    variables = {**LOCALES[locale], "CONFIG_FILE": CONFIGURATION}

    chinese.through(door, "upgrade", "商店@head", env=variables).expect()
    assert "加入第一张订单" in chinese.through(door, "history", env=variables).expect().stdout
    chinese.through(door, "revision", "-m", "删除旧订单", env=variables).expect()
    (new,) = chinese.versions.glob("*_删除旧订单.py")
    assert "删除旧订单" in new.read_text(encoding="utf-8")
    report = chinese.doctor(door=door, env=variables).expect(0)
    assert report.codes == {"AX304"}
    assert "删除旧订单" in report.json["findings"][0]["summary"]
    (database,) = report.json["databases"]
    assert database["target"]["database"] == str(chinese.root / "数据" / "商店.db")
    assert database["target"]["source"]["path"].endswith(CONFIGURATION)
    assert chinese.sql("SELECT 备注 FROM 订单") == [("多谢",)]
    text = chinese.doctor(door=door, env=variables, json=False).expect(0)
    assert "删除旧订单" in text.stdout
    assert "Traceback" not in text.stdout + text.stderr + report.stderr


def test_a_commit_in_chinese_is_found(chinese: Project) -> None:
    """A revision that the database knows, and that only git still has."""
    variables = {"CONFIG_FILE": CONFIGURATION, "LC_ALL": "C"}
    chinese.through("plugin", "upgrade", "head", env=variables).expect()
    chinese.commit("加入全部迁移")
    (chinese.versions / "b2_加入第一张订单.py").unlink()
    chinese.commit("删错了文件")

    for door in DOORS:
        report = chinese.doctor(door=door, env=variables).expect(1)
        assert report.codes == {"AX301"}, str(report)
        assert report.json["findings"][0]["evidence"]["case"] == "deleted"
        assert "b2_加入第一张订单.py" in report.stdout


@pytest.mark.parametrize("door", DOORS)
def test_python_without_utf_8_runs_chinese_revisions(tmp_path: Path, door: str) -> None:
    project = written_in_chinese(tmp_path / "shop", models="models", url=f"sqlite:///{tmp_path}/shop.db")

    project.through(door, "upgrade", "head", env=ASCII).expect()
    project.through(door, "history", "-v", env=ASCII).expect()
    report = project.doctor("--verbose", door=door, env=ASCII).expect(0)
    assert report.codes == set()
    text = project.doctor("--verbose", door=door, env=ASCII, json=False).expect(0).stdout
    assert text.isascii()
    assert r"\u52a0\u5165" in text
    assert project.sql("SELECT 备注 FROM 订单") == [("多谢",)]


@pytest.mark.parametrize("door", DOORS)
def test_python_without_utf_8_says_what_it_cannot_open(chinese: Project, door: str) -> None:
    variables = {**ASCII, "CONFIG_FILE": CONFIGURATION}

    for run in (
        chinese.doctor(door=door, env=variables),
        chinese.doctor("--verbose", door=door, env=variables, json=False),
        chinese.through(door, "current", env=variables),
    ):
        assert run.exit_code in {1, 2, 255}, str(run)
        for word in ("Traceback", "UnicodeEncodeError", "UnicodeDecodeError"):
            assert word not in run.stdout + run.stderr, str(run)
