from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.settings.model import SettingsProblem, UnusableSettingError
from alembic_ext.settings.text_file import MAX_BYTES
from alembic_ext.settings.yaml_file import Node, read_yaml
from tests.settings.asking import write


def plain(node: Node | None) -> object:
    if node is None or isinstance(node.value, str):
        return None if node is None else node.value
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return {key: plain(child) for key, child in node.value.items()}


def refused(path: Path) -> SettingsProblem:
    with pytest.raises(UnusableSettingError) as caught:
        read_yaml(path, path.parent)
    assert "\n" not in caught.value.message
    return caught.value.problem


def test_scalars_stay_the_text_they_were(tmp_path: Path) -> None:
    """PyYAML's own loader turns these into 5349, False, 1.0, a date and None."""
    path = write(
        tmp_path / "a.yaml", "a: 012345\nb: no\nc: 1.0\nd: 2024-01-01\ne: '~'\nf: |\n  two\n  lines\n"
    )

    assert plain(read_yaml(path, tmp_path).root) == {
        "a": "012345",
        "b": "no",
        "c": "1.0",
        "d": "2024-01-01",
        "e": "~",
        "f": "two\nlines\n",
    }


def test_null_is_told_from_quoted_text(tmp_path: Path) -> None:
    root = read_yaml(write(tmp_path / "a.yaml", "a:\nb: ~\nc: null\nd: ''\ne: 'null'\n"), tmp_path).root

    assert root is not None
    assert [root.entries[key].is_null for key in "abcde"] == [True, True, True, False, False]


def test_aliases_and_merge_keys_are_followed(tmp_path: Path) -> None:
    text = "base: &base {host: h, port: 1}\nlist: [&x one, *x]\nother:\n  <<: *base\n  port: 2\nboth:\n  <<: [{a: 1}, {a: 2, b: 3}]\n"

    assert plain(read_yaml(write(tmp_path / "a.yaml", text), tmp_path).root) == {
        "base": {"host": "h", "port": "1"},
        "list": ["one", "one"],
        "other": {"host": "h", "port": "2"},
        "both": {"a": "1", "b": "3"},
    }


def test_every_node_knows_its_line(tmp_path: Path) -> None:
    root = read_yaml(write(tmp_path / "a.yaml", "a:\n  b:\n    - c\n    - d\n"), tmp_path).root

    assert root is not None
    node = root.entries["a"].entries["b"]
    assert isinstance(node.value, list)
    assert (node.value[1].line, node.value[1].column) == (4, 7)


def test_duplicate_keys_are_found_at_any_depth(tmp_path: Path) -> None:
    text = "a: 1\nb:\n  - c: 1\n    c: 2\nx: &x {d: 1}\ny:\n  <<: *x\n  d: 2\n'a': 3\n"
    duplicates = read_yaml(write(tmp_path / "a.yaml", text), tmp_path).duplicates

    assert [(each.key, each.first_line, each.line, each.column) for each in duplicates] == [
        ("b.0.c", 3, 4, 5),
        ("a", 1, 9, 1),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_file_has_no_root(tmp_path: Path, text: str) -> None:
    assert read_yaml(write(tmp_path / "a.yaml", text), tmp_path).root is None


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    assert plain(read_yaml(write(tmp_path / "a.yaml", "\ufeffdatabase: 数据.db\n"), tmp_path).root) == {
        "database": "数据.db"
    }


@pytest.mark.parametrize(
    ("data", "summary", "line"),
    [
        pytest.param(b"a: 1\nb: \xe9\n", "a.yaml is not UTF-8 (line 2).", 2, id="latin-1"),
        pytest.param(b"\x89PNG\0\0", "a.yaml is a binary file, not text.", None, id="binary"),
        pytest.param("a: 1".encode("utf-16"), "a.yaml is a binary file, not text.", None, id="utf-16"),
        pytest.param(
            b"x" * (MAX_BYTES + 1), "a.yaml is larger than 1 MiB and was not read.", None, id="large"
        ),
        pytest.param(
            b"a: 1\n--- \nb: 2\n",
            "a.yaml holds several YAML documents (line 2, column 1).",
            2,
            id="documents",
        ),
        pytest.param(
            b"a: *gone\n", "a.yaml holds an alias that refers to nothing (line 1, column 4).", 1, id="alias"
        ),
        pytest.param(
            b"a: &a\n  b: *a\n",
            "a.yaml holds an alias that refers to itself (line 2, column 6).",
            2,
            id="loop",
        ),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(
    tmp_path: Path, data: bytes, summary: str, line: int | None
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    problem = refused(path)

    assert (problem.code, problem.summary, problem.line, problem.path) == ("AX102", summary, line, path)


@pytest.mark.parametrize(
    "text",
    [
        "database: [\n",
        "password: @secret-word\n",
        "password: 'secret-word\n",
        'password: "secret-word\\q"\n',
        "a: b: secret-word\n",
        "\tsecret-word: 1\n",
        "password: !x!secret-word y\n",
        "a: \x01secret-word\n",
    ],
)
def test_what_is_not_yaml_is_placed_but_not_shown(tmp_path: Path, text: str) -> None:
    problem = refused(write(tmp_path / "a.yaml", text))

    assert problem.code == "AX102"
    assert problem.summary.startswith("a.yaml is not YAML: ")
    assert "secret-word" not in problem.summary


def test_a_directory_is_no_configuration_file(tmp_path: Path) -> None:
    assert refused(tmp_path).summary.endswith("is a directory, not a file.")


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "deeper than 100 levels" in refused(write(tmp_path / "a.yaml", "[" * 400_000)).summary


def test_deep_nesting_in_blocks_is_refused(tmp_path: Path) -> None:
    assert "deeper than 100 levels" in refused(write(tmp_path / "a.yaml", "- " * 5000 + "a")).summary


def test_an_alias_bomb_is_refused_without_being_unfolded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    problem = refused(write(tmp_path / "a.yaml", "\n".join(lines)))

    assert "more than 100000 values once its aliases are written out" in problem.summary


def test_a_bomb_of_merge_keys_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 {k0: 1, k1: 1, k2: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]

    assert "more than 100000 values" in refused(write(tmp_path / "a.yaml", "\n".join(lines))).summary
