"""What is written is true: links lead somewhere, examples run, commands exist.

A page is a Markdown file of the tree. Its commands are those written as code,
in a line or in a block.
"""

from __future__ import annotations

import doctest
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from havre.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULES = [path for path in SOURCES if ">>>" in path.read_text(encoding="utf-8")]

LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)
FENCE = re.compile(r"^```[a-z]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`(?P<body>[^`\n]+)`")
OUR_FILE = re.compile(r"^(?:src|tests|tools|docs|benchmarks|study|\.ci)/[A-Za-z0-9_./-]+$")
SECTION = re.compile(
    r"docs/protocols\.md`?,\s+sections?\s+(?P<first>\d+)(?:\s+and\s+(?P<last>\d+))?"
)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: str) -> set[str]:
    """The names under which a page's headings can be linked."""
    titles = (match["title"].lower() for match in HEADING.finditer(FENCE.sub("", page)))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


def dead_links(path: Path) -> Iterator[str]:
    """Every relative link of a page that leads nowhere."""
    for match in LINK.finditer(FENCE.sub("", text_of(path))):
        target = path.parent / match["path"] if match["path"] else path
        if not target.exists():
            yield f"{path.name}: {match['path']}"
        elif match["anchor"] and match["anchor"] not in anchors(text_of(target)):
            yield f"{path.name}: {match['path']}#{match['anchor']}"


def code_of(page: str) -> Iterator[str]:
    """What a page shows as code: every line of a block, then every word in a line."""
    for block in FENCE.finditer(page):
        yield from block["body"].splitlines()
    yield from (match["body"] for match in CODE.finditer(FENCE.sub("", page)))


def command_lines(text: str) -> Iterator[str]:
    """The lines of code that call `havre`, without prompt and remark."""
    for line in code_of(text):
        bare = line.strip().removeprefix("$ ").split(" #", 1)[0].strip()
        if bare == "havre" or bare.startswith("havre "):
            yield bare


# The tree is built from every command's signature, and asked for once in every line of every page.
tree_of = cache(typer.main.get_command)


def unknown_words(line: str, *, root: typer.Typer = app) -> list[str]:
    """Walk down the tree of commands: the words and options that it does not have."""
    node = tree_of(root)
    options = {name for each in node.params for name in each.opts} | {"--help"}
    for word in line.split()[1:]:
        if word.startswith("--"):
            if word.split("=", 1)[0] not in options:
                return [word]
        elif hasattr(node, "commands"):
            # A word in capitals, in brackets or an ellipsis stands for any command.
            if re.fullmatch(r"[A-Z]+|…|\.\.\.|\[.*|<.*", word):
                return []
            if word not in node.commands:
                return [word]
            node = node.commands[word]
            options |= {name for each in node.params for name in each.opts}
    return []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_a_dead_link_and_a_dead_anchor_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](nowhere.md) [b](#here) [c](#there) [d](page.md#here)\n")

    assert list(dead_links(page)) == ["page.md: nowhere.md", "page.md: #there"]


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = {code for code in code_of(text_of(page)) if OUR_FILE.match(code)}

    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    called = {
        code.split()[1]
        for code in code_of(text_of(page))
        if re.match(r"make [a-z]", code) and len(code.split()) > 1
    }

    assert sorted(called - targets) == []


def test_every_section_that_the_code_cites_is_in_the_protocols() -> None:
    sections = set(re.findall(r"^## (\d+)\.", text_of(ROOT / "docs/protocols.md"), re.MULTILINE))
    cited = {
        number
        for path in [*SOURCES, *PAGES]
        for match in SECTION.finditer(text_of(path))
        for number in match.groups()
        if number
    }

    assert cited
    assert sorted(cited - sections) == []


def test_every_page_that_the_code_cites_exists() -> None:
    cited = {
        (place(path), page)
        for path in SOURCES
        for page in re.findall(r"docs/[a-z0-9/-]+\.md", text_of(path))
    }

    assert sorted(each for each in cited if not (ROOT / each[1]).exists()) == []


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_every_example_in_a_docstring_runs(path: Path) -> None:
    """As many examples run as are written: one that no docstring holds would never run."""
    name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)

    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)

    assert failed == 0
    assert tried == len(re.findall(r"^\s*>>> ", text_of(path), re.MULTILINE))


def test_every_example_in_a_page_runs() -> None:
    options = doctest.NORMALIZE_WHITESPACE
    failed = {
        place(page): doctest.testfile(str(page), module_relative=False, optionflags=options).failed
        for page in PAGES
    }

    assert [page for page, failures in failed.items() if failures] == []


@pytest.mark.parametrize("group", [PAGES, SOURCES], ids=["pages", "hints"])
def test_every_command_that_is_named_exists(group: list[Path]) -> None:
    """In a page, and in a hint: nothing is worse to a person in need than a dead hint."""
    dead = [
        f"{place(path)}: {line}"
        for path in group
        for line in command_lines(text_of(path))
        if unknown_words(line)
    ]

    assert dead == []


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("havre doctor --json", []),
        ("havre --version", []),
        ("havre COMMAND --help", []),
        ("havre docter", ["docter"]),
        ("havre doctor --jsn", ["--jsn"]),
    ],
)
def test_a_dead_command_is_noticed(line: str, unknown: list[str]) -> None:
    assert unknown_words(line) == unknown


def test_commands_are_found_in_lines_and_in_blocks() -> None:
    page = "Ask `havre doctor`.\n\n```sh\n$ havre init hub  # first\nls\n```\nA havre is a haven.\n"

    assert list(command_lines(page)) == ["havre init hub", "havre doctor"]
