"""Every command can be read by a program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from havre.cli.main import app


def commands(group: Any, words: str = "havre") -> Iterator[tuple[str, Any]]:
    """Every command under a group, with the words that call it."""
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, f"{words} {name}")
        else:
            yield f"{words} {name}", each


def test_every_command_takes_json() -> None:
    without = [
        words
        for words, each in commands(get_command(app))
        if not any("--json" in option.opts for option in each.params)
    ]

    assert without == []


def test_the_readme_names_every_command() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| who | about | commands |")[2].partition("## ")[0]

    assert [words for words, _ in commands(get_command(app)) if f"`{words}" not in table] == []


def test_commands_below_a_group_are_looked_at() -> None:
    assert "havre catalogue publish" in dict(commands(get_command(app)))
