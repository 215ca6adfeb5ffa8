"""AX117."""

from __future__ import annotations

import pytest

from alembic_ext.checks.check import CannotTellError
from alembic_ext.checks.missing_privilege import find
from alembic_ext.facts.privileges import Privileges


def test_an_account_that_lacks_nothing_is_silent() -> None:
    assert list(find(Privileges(account="app", missing=()))) == []


def test_a_missing_privilege_speaks() -> None:
    (finding,) = find(Privileges(account="app", missing=("CREATE on shop", "DROP on shop")))

    assert finding.code == "AX117"
    assert finding.summary == "app lacks what an upgrade needs: CREATE on shop, DROP on shop."
    assert finding.evidence == {"account": "app", "missing": ["CREATE on shop", "DROP on shop"]}


def test_what_is_not_known_is_not_called_sufficient() -> None:
    unknown = Privileges(account="app", missing=(), unknown="privileges may come from the role `r`")

    with pytest.raises(CannotTellError, match="role"):
        list(find(unknown))
