"""The text of a revision file tells what the module would hold, or it says why it does not."""

from __future__ import annotations

import ast
import random
import warnings
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alembic_ext.facts import declarations
from alembic_ext.facts.declarations import Declarations, Undeclared, read_declarations

TAIL = "\n\ndef upgrade():\n    pass\n"


def read(text: str | bytes) -> Declarations | Undeclared:
    source = text if isinstance(text, bytes) else dedent(text).encode()
    return read_declarations(source)


def readable(text: str | bytes) -> Declarations:
    found = read(text)
    assert isinstance(found, Declarations), found
    return found


def reason(text: str | bytes) -> str:
    found = read(text)
    assert isinstance(found, Undeclared), found
    return found.reason


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("revision = 'b'\ndown_revision = 'a'\n", id="plain"),
        pytest.param("revision: str = 'b'\ndown_revision: str | None = 'a'\n", id="annotated"),
        pytest.param("revision = ('b')\ndown_revision = (\n    'a'\n)\n", id="parenthesised"),
        pytest.param("revision = 'b'; down_revision = 'a'\n", id="one-line"),
        pytest.param("revision = 'x' 'b'[:0]\nrevision = 'b'\ndown_revision = 'a'\n", id="assigned-again"),
        pytest.param("revision = '' 'b'\ndown_revision = 'a' ''\n", id="implicit-concatenation"),
        pytest.param("revision = '' + 'b'\ndown_revision = 'a' + ''\n", id="concatenation"),
        pytest.param("revision = f'b'\ndown_revision = f'a'\n", id="f-string-without-fields"),
        pytest.param("NEW = 'b'\nrevision = NEW\nOLD = down_revision = 'a'\n", id="constants-above"),
        pytest.param("revision, down_revision = 'b', 'a'\n", id="unpacked"),
        pytest.param("PARENTS = ('a',)\nrevision = 'b'\ndown_revision = PARENTS\n", id="tuple-constant"),
        pytest.param("revision = 'b'\ndown_revision = ['a']\n", id="list"),
        pytest.param("revision = 'b'\ndown_revision = {'a'}\n", id="set"),
        pytest.param("revision = 'b'\ndown_revision = ('a',) + ()\n", id="tuples-added"),
        pytest.param("N = 'b'\nrevision = f'{N}'\ndown_revision = 'a'\n", id="f-string-of-a-known-name"),
        pytest.param("revision = ''\nrevision += 'b'\ndown_revision = 'a'\n", id="added-to"),
        pytest.param("\ufeffrevision = 'b'\ndown_revision = 'a'\n", id="byte-order-mark"),
        pytest.param("revision = 'b'\r\ndown_revision = 'a'\r\n", id="windows-line-ends"),
        pytest.param(b"# coding: latin-1\n# \xe9\nrevision = 'b'\ndown_revision = 'a'\n", id="coding-cookie"),
        pytest.param("revision = r'''b'''\ndown_revision = u'a'\n", id="prefixes"),
        pytest.param("from sqlalchemy import *\nrevision = 'b'\ndown_revision = 'a'\n", id="star-import-above"),
        pytest.param("from helpers import *\nrevision = 'b'\ndown_revision = 'a'\nbranch_labels = depends_on = None\n", id="star-import-before-all-four"),
        pytest.param("revision = 'b'\ndown_revision = 'a'\ndef f():\n    revision = 'other'\n", id="local-name"),
        pytest.param("revision = 'b'\ndown_revision = 'a'\nclass A:\n    revision = 'other'\n", id="class-body"),
        pytest.param("x = '''\nrevision = 'c'\n'''\nrevision = 'b'\ndown_revision = 'a'\n", id="inside-a-string"),
        pytest.param("revision: str\nrevision = 'b'\ndown_revision = 'a'\nrevision: str\n", id="bare-annotation"),
        pytest.param("try:\n    import x\nexcept ImportError:\n    x = None\nrevision = 'b'\ndown_revision = 'a'\n", id="try"),
        pytest.param("import logging\nlog = logging.getLogger(__name__)\nrevision = 'b'\ndown_revision = 'a'\n", id="call-above"),
    ],
)  # fmt: skip
def test_what_can_be_known_is_read(text: str | bytes) -> None:
    found = readable(text if isinstance(text, bytes) else text.encode())

    assert (found.revision, found.down_revisions, found.branch_labels, found.depends_on) == (
        "b",
        ("a",),
        (),
        (),
    )


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("None", ()),
        ("()", ()),
        ("[]", ()),
        ("(None,)", ()),
        ("'a'", ("a",)),
        ("''", ("",)),
        ("('a', 'b')", ("a", "b")),
        ("['b', 'a']", ("b", "a")),
        ("{'b', 'a'}", ("a", "b")),
    ],
)
def test_down_revision_is_taken_as_alembic_takes_it(value: str, ids: tuple[str, ...]) -> None:
    """Alembic makes a tuple of anything that can be iterated, and nothing of an empty one."""
    assert readable(f"revision = 'x'\ndown_revision = {value}\n").down_revisions == ids


def test_labels_dependencies_message_and_lines() -> None:
    found = readable(
        '''
        """添加用户表

        Revision ID: b
        """
        revision = "b"
        down_revision = "a"
        branch_labels = ("billing", "shop")
        depends_on = "base_of_shop"
        '''
    )

    assert found.message == "添加用户表"
    assert (found.branch_labels, found.depends_on) == (("billing", "shop"), ("base_of_shop",))
    assert (found.line, found.down_revision_line, found.depends_on_line) == (6, 7, 9)


def test_an_empty_dependency_is_none() -> None:
    assert readable("revision = 'b'\ndown_revision = None\ndepends_on = ''\n").depends_on == ()


def test_a_module_without_revision_says_so_with_none() -> None:
    """Files of Alembic 0.1 are named after their id; the reader of files decides."""
    assert readable("down_revision = None\n").revision is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("revision = make()\ndown_revision = 'a'\n", "`revision` is computed: `make()` is not a literal"),
        ("revision = 'b'\ndown_revision = PARENT\n", "`down_revision` is computed: the file does not say what `PARENT` is"),
        ("revision = 'b'\nif 1:\n    down_revision = 'a'\n", "`down_revision` is computed: `if 1` may change it"),
        ("revision = 'b'\ndown_revision = 'a'\nif x:\n    revision = 'c'\n", "`revision` is computed: `if x` may change it"),
        ("revision = 'b'\ndown_revision = 'a'\nfrom x import revision\n", "`revision` is computed: `from x import revision` may change it"),
        ("revision = 'b'\ndown_revision = 'a'\nfrom x import *\n", "`revision` is computed: `from x import *` may change it"),
        ("revision = 'b'\ndown_revision = 'a'\ndel down_revision\n", "`down_revision` is computed: `del down_revision` may change it"),
        ("revision = 'b'\ndown_revision = 'a'\nglobals()['revision'] = 'c'\n", "`revision` is computed: `globals()['revision']` may change it"),
        ("P = ['a']\nrevision = 'b'\ndown_revision = P\nP.append('c')\n", "`down_revision` is computed: `P.append('c')` may change it"),
        ("P = ['a']\nrevision = 'b'\ndown_revision = P\nP += ['c']\n", "`down_revision` is computed: `P += ['c']` may change it"),
        ("P = ['a']\ndef f():\n    P.append('c')\nrevision = 'b'\ndown_revision = P\nf()\n", "`down_revision` is computed: `f()` may change it"),
        ("revision = 'b'\ndown_revision = 'a'\ndef f():\n    global revision\n    revision = 'c'\n", "`revision` is computed: a function may change it (`global`)"),
        ("for revision in 'b':\n    pass\ndown_revision = 'a'\n", "`revision` is computed: `for revision in 'b'` may change it"),
        ("revision = 'b' if x else 'c'\ndown_revision = 'a'\n", "`revision` is computed: `'b' if x else 'c'` is not a literal"),
        ("revision = 1\ndown_revision = None\n", "`revision` is 1, but an id is text in quotes"),
        ("revision = None\ndown_revision = None\n", "`revision` is None, but an id is text in quotes"),
        ("revision = 'b'\ndown_revision = 5\n", "`down_revision` is 5, but an id is text in quotes"),
        ("revision = 'b'\ndown_revision = (None, 'a')\n", "`down_revision` is (None, 'a'), but an id is text in quotes"),
        ("revision = 'b'\n", "there is no `down_revision`"),
        ("revision = 'b'\n<<<<<<< HEAD\ndown_revision = 'a'\n=======\n>>>>>>> x\n", "it holds merge conflict markers"),
        ("revision = 'b'\ndown_revision = (\n", "it is not valid Python: '(' was never closed"),
        ("revision = 'b'\ndown_revision = 'a'\nreturn 1\n", "it is not valid Python: 'return' outside function"),
        (b"revision = 'b'\ndown_revision = '\xe9'\n", "it is not UTF-8: byte 0xe9 on line 2"),
        (b"revision = 'b'\n\0\ndown_revision = 'a'\n", "it holds NUL bytes, which no Python source may"),
        ("revision = 'b'\n".encode("utf-16"), "it is UTF-16; Python reads UTF-8"),
        ("revision = " + "(" * 5000 + "'b'" + ")" * 5000 + "\ndown_revision = None\n", None),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_never_guessed(text: str | bytes, expected: str | None) -> None:
    said = reason(text if isinstance(text, bytes) else text.encode())

    assert expected is None or said == expected


def test_warnings_of_the_files_own_text_do_not_leak() -> None:
    """An invalid escape is a warning, which must not become an error of ours under -W error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert readable("X = '\\d'\nrevision = 'b'\ndown_revision = None\n").revision == "b"


LITERALS = [
    "'a'",
    '"a"',
    "None",
    "'b' 'c'",
    "('a', 'b')",
    "f'x'",
    "OTHER",
    "g()",
    "'it\\'s'",
    "''",
    "'é'",
    "None,",
]
ASSIGNED = ["revision", "down_revision", "branch_labels", "depends_on", "OTHER"]
ANNOTATIONS = ["", ": str", ": Union[str, None]", ":str|None", ": 'str'"]
ENDS = ["", "  # why", ";x=1", "; revision = 'c'", " \\\n", " \\\n + 'z'", " if x else y"]
AROUND = [
    "{}",
    "if x:\n    {}",
    'x = """\n{}\n"""',
    "'''\n{}\n'''",
    "def f():\n    {}",
    "def f():\n    global revision, depends_on\n    {}",
    "class A:\n    {}",
    "for x in y:\n    {}",
    "# {}",
    "x = ({})",
    "(\n{}\n)",
]
OTHER_LINES = [
    "", "\t", "import os", "from a import b, c as revision", "from a import *", "from a import (*)", "import  depends_on",
    "from a import revision", "import revision.b", "from . import down_revision", "from a import b as branch_labels",
    "exec('')", "del revision", "globals()", "locals()['x'] = 1", "vars()['x'] = 1", "eval('x')", "op.execute('')",
    "setattr(a, b, c)", "delattr(a, b)", "a.__dict__['x'] = 1", "sys.modules[__name__].x = 1", "x = 1", "x = exec",
    "# coding: latin-1", "# -*- coding: utf-8 -*-", '"""doc"""', '"""do"c\\n"""', '"""a""" "b"', "class A: pass", "x = 'revision'",
    "(", "@revision", "\r", "\x0c", "with a as revision: pass", "[revision for revision in x]", "(revision := 'c')",
    "try:\n    pass\nexcept E as revision:\n    pass", "import a; revision = 'c'", "def revision(): pass", "def f(): revision = 1",
]  # fmt: skip
ASSIGNMENTS = [
    f"{name}{annotation} = {value}{end}"
    for name in ASSIGNED
    for annotation in ANNOTATIONS
    for value in LITERALS
    for end in ENDS
]
TEMPLATE = [
    "", "# revision identifiers", "import sqlalchemy as sa", 'revision = "r"', 'down_revision: Union[str, None] = "d"',
    "branch_labels = None", "depends_on = None", "", "def upgrade():", "    pass", "",
]  # fmt: skip
OPENINGS = ['"""m\n\nx\n"""', "", "# x"]


def quick_way_agrees(lines: list[str]) -> bool | None:
    """Whether the quick way says what the syntax tree says; ``None`` when it gives up or Python refuses the text."""
    source = ("\n".join(lines) + "\n").encode()
    header = declarations._read_header(source)
    if header is None:
        return None
    try:
        compile(source, "revision", "exec", dont_inherit=True)
        return declarations._from_tree(ast.parse(source)) == header
    except (SyntaxError, ValueError):
        return None


def test_no_single_line_makes_the_quick_way_disagree() -> None:
    """The quick way may give up, and must otherwise say exactly what the slow way says. Every line, in every place."""
    chance = random.Random(5)
    lines = [
        *OTHER_LINES,
        *(
            around.format(f"{name} = {value}")
            for around in AROUND
            for name in ASSIGNED
            for value in LITERALS[:8]
        ),
        *chance.sample(ASSIGNMENTS, 250),
    ]
    outcomes = [
        (quick_way_agrees([opening, *TEMPLATE[:at], line, *TEMPLATE[at:]]), opening, at, line)
        for line in lines
        for opening in OPENINGS[:2]
        for at in range(len(TEMPLATE) + 1)
        if at != 9  # between `def` and its body
    ]

    assert [outcome for outcome in outcomes if outcome[0] is False] == []
    assert sum(outcome[0] is True for outcome in outcomes) > len(outcomes) // 20, "it gives up nearly always"


def test_a_carriage_return_ends_a_comment() -> None:
    text = b'revision = "a"\n# x\rrevision = "b"\ndown_revision = None\n'

    assert readable(text).revision == "b"


def test_the_cookie_of_a_template_shaped_file_is_obeyed() -> None:
    text = b'# coding: latin-1\n"""caf\xe9"""\nrevision = "a"\ndown_revision = None\n'

    assert readable(text).message == "café"


ANY_LINE = st.one_of(
    st.sampled_from(OTHER_LINES),
    st.sampled_from(ASSIGNMENTS),
    st.builds(str.format, st.sampled_from(AROUND), st.sampled_from(ASSIGNMENTS)),
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(ANY_LINE, max_size=2),
    st.lists(ANY_LINE, max_size=3),
    st.integers(0, len(TEMPLATE)),
    st.sampled_from(OPENINGS),
)
def test_no_text_makes_the_quick_way_disagree(
    first: list[str], last: list[str], at: int, opening: str
) -> None:
    assert quick_way_agrees([opening, *TEMPLATE[:at], *first, *TEMPLATE[at:], *last]) is not False


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(ASSIGNMENTS), max_size=4))
def test_what_is_read_is_what_running_the_text_gives(lines: list[str]) -> None:
    """Python itself is the judge, for texts that run."""
    source = "\n".join(["OTHER = 'o'", "revision = 'r'", "down_revision = None", *lines]) + "\n"
    namespace: dict[str, object] = {"Union": {(str, None): None}, "g": lambda: "computed"}
    try:
        exec(compile(source, "x", "exec", dont_inherit=True), namespace)
    except (SyntaxError, TypeError, NameError):
        return
    found = read_declarations(source.encode())
    if isinstance(found, Declarations):
        assert found.revision == namespace["revision"]
        value = namespace["down_revision"]
        assert found.down_revisions == (
            () if value in (None, (None,)) else value if isinstance(value, tuple) else (value,)
        )


def test_the_templates_of_alembic_take_the_quick_way() -> None:
    """Speed is a contract; a header that falls back to the syntax tree takes many times as long."""
    text = b'"""m"""\nfrom typing import Sequence, Union\n\nfrom alembic import op\nimport sqlalchemy as sa\n\n\n# r\nrevision: str = "b"\ndown_revision: Union[str, Sequence[str], None] = "a"\nbranch_labels: Union[str, Sequence[str], None] = None\ndepends_on: Union[str, Sequence[str], None] = None\n\n\ndef upgrade() -> None:\n    """Upgrade schema."""\n    op.execute("x")\n'

    assert declarations._read_header(text) is not None
