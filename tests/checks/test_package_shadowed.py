from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.package_shadowed import find
from alembic_ext.findings import Safety
from alembic_ext.settings.shadowing import Shadowing, ShadowingFile


def test_nothing_hidden_is_silent() -> None:
    assert list(find(Shadowing())) == []


def test_an_empty_file_may_be_deleted() -> None:
    path = Path("/project/alembic/__init__.py")
    (finding,) = find(Shadowing(files=(ShadowingFile(path=path, empty=True),)))

    assert (finding.code, finding.slug, finding.repair.safety) == ("AX112", "package-shadowed", Safety.UNSAFE)
    assert finding.repair.command is None
    assert finding.why.startswith("The command alembic works, but python -m alembic from this folder")
    assert finding.evidence == {"path": str(path), "empty": True}


def test_what_holds_code_is_for_a_person() -> None:
    package, module = Path("/project/alembic/__init__.py"), Path("/project/alembic.py")
    found = list(
        find(
            Shadowing(
                files=(ShadowingFile(path=package, empty=False), ShadowingFile(path=module, empty=False))
            )
        )
    )

    assert [finding.repair.safety for finding in found] == [Safety.MANUAL, Safety.MANUAL]
    assert [finding.location.path for finding in found] == [package, module]
