"""A command answers at once when it only has to say what it can do.

Counted in modules and not in seconds: a slow machine is no reason to fail, a
vendor library at the top of a module is.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("polars", "pyarrow", "duckdb", "cryptography", "sqlalchemy", "pydantic")
ALSO_HEAVY = ("alembic", "ibis", "jinja2", "numpy", "pandas", "polars_hash", "rich.console")
# Run with the words of a command; prints what is loaded when the command has ended.
PROBE = """
import contextlib, io, json, sys
sys.argv = ["havre", *sys.argv[1:]]
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
    from havre.cli.main import run
    run()
print(json.dumps({"said": said.getvalue(), "loaded": sorted(sys.modules)}))
"""


def probe(*words: str) -> tuple[str, frozenset[str]]:
    """Run `havre` with these words: what it printed, and every module it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=True
    )
    seen = json.loads(done.stdout)
    return seen["said"], frozenset(seen["loaded"])


def test_help_loads_no_heavy_library() -> None:
    said, loaded = probe("--help")

    assert said
    assert sorted(loaded.intersection(HEAVY + ALSO_HEAVY)) == []


@pytest.mark.parametrize("words", [("--version",), ("doctor", "--help")], ids=" ".join)
def test_reading_arguments_loads_nothing_heavy_but_what_typer_reads_them_with(
    words: tuple[str, ...],
) -> None:
    said, loaded = probe(*words)

    assert said
    assert sorted(loaded.intersection(HEAVY + ALSO_HEAVY) - {"pydantic"}) == []


def test_help_names_the_commands() -> None:
    said, _ = probe("--help")

    assert "doctor" in said


def test_the_probe_sees_a_heavy_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import polars\n{PROBE}", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "polars" in json.loads(done.stdout)["loaded"]
