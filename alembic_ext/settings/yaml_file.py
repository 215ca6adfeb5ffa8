"""A YAML file as a tree whose scalars are text, with the line of everything.

The events of the parser are put together here instead of by PyYAML's constructors: no type is guessed (the
password ``012345`` stays what it is), no tag builds an object, keys given twice are seen, and neither depth
nor aliases can blow up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_ext.settings.text_file import read_text_file, unusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from yaml.error import Mark

_MAX_DEPTH = 100
_MAX_NODES = 100_000
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS = tuple(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")
)


@dataclass(eq=False, kw_only=True)
class Node:
    """A scalar (text), a sequence or a mapping.

    :param line: from 1, as is ``column``.
    :param plain: a scalar without quotes.
    :param tag: a tag that says more than "this is text", or ``None``.
    :param size: how many nodes this one stands for once its aliases are written out.
    """

    value: str | list[Node] | dict[str, Node]
    line: int
    column: int
    plain: bool = False
    tag: str | None = None
    size: int = 1

    @property
    def entries(self) -> dict[str, Node]:
        return self.value if isinstance(self.value, dict) else {}

    @property
    def is_null(self) -> bool:
        return self.plain and self.value in _NULLS


@dataclass(frozen=True, kw_only=True)
class DuplicateKey:
    """A key given twice in one mapping: YAML readers silently keep the last."""

    key: str
    line: int
    column: int
    first_line: int


@dataclass(frozen=True, kw_only=True)
class YamlFile:
    """One document."""

    root: Node | None
    duplicates: tuple[DuplicateKey, ...] = ()


@dataclass(eq=False, kw_only=True)
class _Open:
    """A collection that is being filled."""

    node: Node
    anchor: str | None
    path: tuple[str, ...]
    key: Node | None = None
    key_lines: dict[str, int] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)


def read_yaml(path: Path, root: Path) -> YamlFile:
    """Read one document; an empty file has no root.

    :raises UnusableSettingError: unreadable, not YAML, several documents, too deep, or too many aliases.
    """
    import yaml  # noqa: PLC0415 - only where a YAML file exists

    text = read_text_file(path, root)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _compose(path, root, yaml.parse(text, Loader=loader))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        problem = re.sub(
            r"'[^']{2,}'", "'...'", str(getattr(exc, "problem", None) or "it holds characters YAML forbids")
        )
        raise _unusable(
            path, root, "yaml", f"is not YAML: {problem}", "Correct the YAML there.", mark
        ) from None


def _compose(path: Path, project: Path, events: Iterable[Any]) -> YamlFile:
    root: Node | None = None
    documents = 0
    stack: list[_Open] = []
    anchors: dict[str, Node | None] = {}
    duplicates: list[DuplicateKey] = []
    for event in events:
        kind = type(event).__name__
        mark = event.start_mark
        if kind == "DocumentStartEvent":
            documents += 1
            if documents > 1:
                raise _unusable(
                    path,
                    project,
                    "documents",
                    "holds several YAML documents",
                    "Keep one document in it.",
                    mark,
                )
            continue
        if kind == "ScalarEvent":
            node = _scalar(event)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            if len(stack) >= _MAX_DEPTH:
                raise _unusable(
                    path,
                    project,
                    "depth",
                    f"is nested deeper than {_MAX_DEPTH} levels",
                    "Name a configuration file.",
                    mark,
                )
            node = Node(
                value={} if kind == "MappingStartEvent" else [], line=mark.line + 1, column=mark.column + 1
            )
            stack.append(_Open(node=node, anchor=event.anchor, path=_path_below(stack)))
            if event.anchor is not None:
                anchors[event.anchor] = None
            continue
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            done = stack.pop()
            node = done.node
            for merged in done.merged:
                for key, child in merged.entries.items():
                    node.entries.setdefault(key, child)
            if done.anchor is not None:
                anchors[done.anchor] = node
        elif kind == "AliasEvent":
            known = anchors.get(event.anchor)
            if known is None:
                what = "refers to itself" if event.anchor in anchors else "refers to nothing"
                raise _unusable(
                    path, project, "alias", f"holds an alias that {what}", "Write the value out.", mark
                )
            node = known
        else:
            continue
        if getattr(event, "anchor", None) is not None and kind == "ScalarEvent":
            anchors[event.anchor] = node
        if not stack:
            root = node
            continue
        _put(stack[-1], node, duplicates)
        if stack[0].node.size + sum(open_.node.size for open_ in stack[1:]) > _MAX_NODES:
            raise _unusable(
                path,
                project,
                "size",
                f"holds more than {_MAX_NODES} values once its aliases are written out",
                "Name a configuration file.",
                mark,
            )
    return YamlFile(root=None if root is None or root.is_null else root, duplicates=tuple(duplicates))


def _put(parent: _Open, child: Node, duplicates: list[DuplicateKey]) -> None:
    """Add a finished child to the collection that is being filled."""
    parent.node.size += child.size
    if isinstance(parent.node.value, list):
        parent.node.value.append(child)
    elif parent.key is None:
        parent.key = child
    else:
        key, parent.key = parent.key, None
        if not isinstance(key.value, str):
            return  # a collection as a key: nothing of ours
        if key.plain and key.value == "<<":
            parent.merged.extend(_merged(child))
            return
        if key.value in parent.key_lines:
            dotted = ".".join((*parent.path, key.value))
            first = parent.key_lines[key.value]
            duplicates.append(DuplicateKey(key=dotted, line=key.line, column=key.column, first_line=first))
        parent.key_lines[key.value] = key.line
        parent.node.entries[key.value] = child


def _merged(node: Node) -> Iterator[Node]:
    if isinstance(node.value, dict):
        yield node
    elif isinstance(node.value, list):
        yield from (item for item in node.value if isinstance(item.value, dict))


def _path_below(stack: list[_Open]) -> tuple[str, ...]:
    if not stack:
        return ()
    parent = stack[-1]
    if isinstance(parent.node.value, list):
        return (*parent.path, str(len(parent.node.value)))
    return (
        (*parent.path, parent.key.value) if parent.key and isinstance(parent.key.value, str) else parent.path
    )


def _scalar(event: Any) -> Node:
    tag = None if event.tag in (None, "!", *_PLAIN_TAGS) else str(event.tag)
    mark = event.start_mark
    return Node(value=event.value, line=mark.line + 1, column=mark.column + 1, plain=not event.style, tag=tag)


def _unusable(path: Path, project: Path, reason: str, what: str, hint: str, mark: Mark | None) -> Exception:  # noqa: PLR0917 - one sentence, in its order
    if mark is None:
        return unusable(path, project, "AX102", reason, f"{what}.", hint)
    line, column = mark.line + 1, mark.column + 1
    return unusable(
        path,
        project,
        "AX102",
        reason,
        f"{what} (line {line}, column {column}).",
        hint,
        line=line,
        column=column,
    )
