"""Names say what a thing is, and nothing is left for later."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
# Written apart, so that this page does not find itself.
LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MISSING = "NotImple" + "mented"
EMPTY_WORDS = frozenset({"manager", "helper", "helpers", "util", "utils", "misc", "stuff"})
EMPTY_VERBS = ("process_data", "handle_data", "do_")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def names(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives: to functions, classes, arguments and variables."""
    for node in ast.walk(tree):
        if isinstance(node, DEFINITION):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def is_empty(name: str) -> bool:
    """Whether a name says nothing: `KeyManager`, `process_data`."""
    words = {word.lower() for word in WORD.findall(name)}
    return bool(words & EMPTY_WORDS) or name.lstrip("_").startswith(EMPTY_VERBS)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_name_is_empty() -> None:
    found = [
        f"{place(path)}: {name}"
        for path in SOURCES
        for name in (path.stem, path.parent.name, *names(tree_of(path)))
        if is_empty(name)
    ]

    assert found == []


@pytest.mark.parametrize(
    "name", ["KeyManager", "_helper", "utils", "process_data", "date_utils", "do_it"]
)
def test_an_empty_name_is_noticed(name: str) -> None:
    assert is_empty(name)


@pytest.mark.parametrize("name", ["contextmanager", "ProcessRoom", "document", "metadata"])
def test_a_name_that_says_something_passes(name: str) -> None:
    assert not is_empty(name)


def lines_with(*trees: str) -> Iterator[tuple[str, str]]:
    """Every line of the Python files below these folders, each with its place."""
    for tree in trees:
        for path in sorted((ROOT / tree).rglob("*.py")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                yield f"{place(path)}:{number}", line


def test_nothing_is_left_for_later() -> None:
    everywhere = lines_with("src", "tests", "tools", "benchmarks")

    assert [where for where, line in everywhere if LATER.search(line)] == []


def test_what_is_offered_is_there() -> None:
    assert [where for where, line in lines_with("src", "tools") if MISSING in line] == []


def test_what_is_left_for_later_is_noticed() -> None:
    marks = ["# TO" + "DO: later", "# XX" + "X", "# FIX" + "ME"]

    assert [mark for mark in marks if not LATER.search(mark)] == []


def test_a_check_never_answers_with_a_boolean() -> None:
    """A caller can forget to look at an answer, not at an exception."""
    found = [
        f"{place(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, FUNCTION)
        and node.name.lstrip("_").startswith("check_")
        and "bool" in ast.unparse(node.returns or ast.Constant("bool"))
    ]

    assert found == []
