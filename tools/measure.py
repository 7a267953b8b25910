"""The size budget of docs/style: printed, and failing where a file or function passes *stop*.

Run by `make check`. A number past *stop* is a question about the design, not
about the line count.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STOP = {
    "function lines": 60,
    "file lines": 500,
    "public names": 12,
    "positional": 5,
    "branches": 10,
}
TARGET = {"function lines": 8, "file lines": 200, "public names": 8, "positional": 2, "branches": 2}
BRANCHES = (ast.If, ast.For, ast.While, ast.Try, ast.IfExp, ast.comprehension, ast.match_case)


@dataclass
class Measures:
    """All the numbers of one tree, each with where it was found."""

    found: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: {k: [] for k in STOP})
    undocumented: list[str] = field(default_factory=list)
    comments: int = 0
    lines: int = 0

    def note(self, measure: str, value: int, place: str) -> None:
        """Add one number."""
        self.found[measure].append((value, place))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    doc = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    return total - ((doc.end_lineno or 0) - doc.lineno + 1 if doc else 0)


def branches(node: ast.AST) -> int:
    return sum(isinstance(inner, BRANCHES) for inner in ast.walk(node))


def positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return len([name for name in names if name not in ("self", "cls")])


def public_names(tree: ast.Module) -> list[str]:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [
        node.name
        for node in tree.body
        if isinstance(node, defined) and not node.name.startswith("_")
    ]


def undocumented(tree: ast.Module, place: str) -> Iterator[str]:
    """Name what is public and says nothing; an overload's twin and a dunder need not."""
    if ast.get_docstring(tree) is None:
        yield place
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            inside = [node, *(inner for inner in node.body if isinstance(inner, named))]
            for inner in inside:
                if not inner.name.startswith("_") and ast.get_docstring(inner) is None:
                    yield f"{place}:{inner.name}"


def measure(root: Path, *, strict: bool) -> Measures:
    measures = Measures()
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        place = str(path)
        measures.lines += text.count("\n")
        measures.comments += sum(line.strip().startswith("#") for line in text.splitlines())
        measures.note("file lines", text.count("\n"), place)
        if not strict:
            continue
        measures.note("public names", len(public_names(tree)), place)
        measures.undocumented += undocumented(tree, place)
        for node in functions(tree):
            here = f"{place}:{node.lineno} {node.name}"
            measures.note("function lines", code_lines(node), here)
            measures.note("branches", branches(node), here)
            measures.note("positional", positional(node), here)
    return measures


# The module of event kinds is one table: a class a row, and one place to read them all.
EXCUSED = {
    ("public names", "src/havre/domain/events.py"): "one class for each kind of event",
    ("file lines", "tools/check_exposure.py"): "a stranger fetches and reads one file, alone",
    ("file lines", "tools/verify_log.py"): "a stranger fetches and reads one file, alone",
}


def main() -> int:
    faults: list[str] = []
    for root, strict in (("src", True), ("tools", True), ("tests", False)):
        measures = measure(Path(root), strict=strict)
        print(f"{root}: {measures.lines} lines, {measures.comments} of them comments")
        for name, values in measures.found.items():
            if not values:
                continue
            numbers = sorted(value for value, _ in values)
            middle, tail = statistics.median(numbers), numbers[int(len(numbers) * 0.9)]
            print(
                f"  {name:<15} median {middle:>5.0f} (aim {TARGET[name]}), p90 {tail:>4},"
                f" most {numbers[-1]:>4} (stop {STOP[name]})"
            )
            faults += [
                f"{place}: {value} {name}"
                for value, place in values
                if value > STOP[name] and (name, place) not in EXCUSED
            ]
        faults += [f"{place}: no docstring" for place in measures.undocumented]
    for fault in faults:
        print(f"too much: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
