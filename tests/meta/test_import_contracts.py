"""A rule about imports is worth what it refuses: a breach of each is planted, and must be named.

The breaches are written here by hand and not read from `.importlinter`, so that
a rule which somebody weakens fails here. Each test works on a copy of the
sources of its own.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"
PREFIX = "importlinter:contract:"


@dataclass(frozen=True)
class Breach:
    """One import that must not be: in which file (made when missing), and of what.

    at: the importing file, below `src/havre`.
    imports: the module that it reaches for.
    """

    contract: str
    at: str
    imports: str

    @property
    def importer(self) -> str:
        """The dotted name of the importing module."""
        return "havre." + self.at.removesuffix(".py").replace("/", ".")

    @property
    def line(self) -> str:
        """The line that is planted."""
        return f"import {self.imports}  # a planted breach\n"

    def __str__(self) -> str:
        return f"{self.contract}: {self.importer} imports {self.imports}"


# Names are chosen so that an exemption written too wide would let one through:
# `vault_planted` is no part of the vault, `planted` is none of the exempt verbs.
PLANTED: dict[str, dict[str, tuple[str, ...]]] = {
    "layers": {
        "errors.py": ("havre.values",),
        "values.py": ("havre.crypto.random", "havre.streams"),
        "streams.py": ("havre.values",),
        "formats/planted.py": ("havre.crypto.merkle", "havre.domain.plan", "havre.snds.codes"),
        "crypto/planted.py": ("havre.formats.canonical", "havre.snds.codes"),
        "snds/planted.py": ("havre.formats.canonical", "havre.crypto.nir"),
        "domain/planted.py": ("havre.ports.clock", "havre.application.audit"),
        "ports/planted.py": (
            "havre.adapters.machine.clock",
            "havre.application.audit",
            "havre.study.tables",
        ),
        "study/planted.py": ("havre.ports.clock", "havre.application.audit"),
        "adapters/machine/planted.py": ("havre.application.audit", "havre.bootstrap"),
        "application/planted.py": ("havre.adapters.machine.clock", "havre.bootstrap"),
        "bootstrap/planted.py": ("havre.cli.main",),
    },
    "vault-objects": {
        "application/planted.py": ("havre.ports.objects",),
        "application/vault_planted.py": ("havre.ports.objects",),
        "application/journal.py": ("havre.ports.objects",),
    },
    "vault-keys": {
        "application/planted.py": ("havre.crypto.sealing",),
        "application/vault_planted.py": ("havre.crypto.sealing",),
        "application/pseudonymise.py": ("havre.crypto.sealing",),
        "domain/planted.py": ("havre.crypto.sealing",),
        "ports/planted.py": ("havre.crypto.sealing",),
    },
    "custody": {
        "application/planted.py": ("havre.ports.custody",),
        "application/vault_planted.py": ("havre.ports.custody",),
        "application/permits.py": ("havre.ports.custody",),
    },
    "pseudonyms": {
        "application/planted.py": ("havre.crypto.pseudonyms", "havre.ports.pseudonymiser"),
        "application/vault/planted.py": ("havre.crypto.pseudonyms", "havre.ports.pseudonymiser"),
        "cli/planted.py": ("havre.crypto.pseudonyms", "havre.ports.pseudonymiser"),
    },
    "journal-writes": {
        "application/planted.py": ("havre.ports.log", "havre.ports.witness"),
        "application/vault/planted.py": ("havre.ports.log", "havre.ports.witness"),
        "application/audit.py": ("havre.ports.witness",),
        "cli/planted.py": ("havre.ports.log", "havre.ports.witness"),
    },
    "foreign-code": {
        "application/planted.py": ("havre.ports.sandbox", "subprocess"),
        "application/vault/planted.py": ("havre.ports.sandbox", "subprocess"),
        "application/run.py": ("subprocess",),
        "application/run_planted.py": ("havre.ports.sandbox",),
        "cli/planted.py": ("havre.ports.sandbox", "subprocess"),
    },
    "command-line": {
        "cli/planted.py": (
            "havre.adapters.machine.clock",
            "havre.application.audit",
            "havre.crypto.nir",
            "havre.domain.plan",
            "havre.formats.canonical",
            "havre.ports.clock",
            "havre.snds.codes",
            "havre.study.tables",
            "havre.values",
        ),
    },
    "study-alone": {
        "study/planted.py": (
            "havre.crypto.nir",
            "havre.domain.plan",
            "havre.formats.canonical",
            "havre.snds.codes",
            "havre.streams",
            "havre.values",
        ),
    },
    "adapter-strangers": {
        "adapters/objects/planted.py": ("havre.adapters.tables.parquet",),
        "adapters/engines/planted.py": ("havre.adapters.tables.parquet",),
        "adapters/custody/planted.py": ("havre.adapters.keyroom.child",),
        "adapters/witness/planted.py": ("havre.adapters.log.files",),
        "adapters/records/planted.py": ("havre.adapters.log.files",),
    },
    "no-vendors": {
        "application/planted.py": (
            "alembic",
            "cryptography",
            "duckdb",
            "ibis",
            "jinja2",
            "numpy",
            "polars",
            "polars_hash",
            "pyarrow",
            "shamir_mnemonic",
            "sqlalchemy",
        ),
        "application/vault/planted.py": ("cryptography", "duckdb", "polars", "pyarrow"),
        "domain/planted.py": ("cryptography", "numpy", "polars", "pyarrow", "sqlalchemy"),
        "ports/planted.py": ("duckdb", "numpy", "polars", "pyarrow"),
        "cli/planted.py": ("duckdb", "jinja2", "polars", "pyarrow", "sqlalchemy"),
    },
    "pure-core": {
        "domain/planted.py": (
            "asyncio",
            "ctypes",
            "http.client",
            "io",
            "logging",
            "multiprocessing",
            "os",
            "pathlib",
            "shutil",
            "signal",
            "socket",
            "sqlite3",
            "subprocess",
            "tempfile",
            "threading",
            "time",
            "urllib.request",
        ),
        "ports/planted.py": ("io", "os", "pathlib", "socket", "subprocess", "time"),
        "formats/planted.py": ("io", "os", "pathlib", "socket", "subprocess", "time"),
        "crypto/planted.py": ("os", "pathlib", "socket", "subprocess", "time"),
        "crypto/signatures.py": ("os",),
        "snds/planted.py": ("os", "pathlib", "time"),
        "values.py": ("os", "time"),
        "streams.py": ("os", "time"),
        "errors.py": ("os", "threading", "time"),
    },
    "randomness": {
        "application/planted.py": ("random", "secrets", "uuid"),
        "application/vault/planted.py": ("random", "secrets", "uuid"),
        "adapters/objects/planted.py": ("random", "secrets", "uuid"),
        "domain/planted.py": ("random", "secrets", "uuid"),
        "ports/planted.py": ("random", "secrets", "uuid"),
        "formats/planted.py": ("random", "secrets", "uuid"),
        "bootstrap/planted.py": ("random", "secrets", "uuid"),
        "snds/planted.py": ("random", "secrets", "uuid"),
        "study/planted.py": ("random", "secrets", "uuid"),
        "values.py": ("random", "secrets", "uuid"),
        "streams.py": ("random", "secrets", "uuid"),
        "errors.py": ("random", "secrets", "uuid"),
        "cli/planted.py": ("random", "secrets", "uuid"),
    },
}
BREACHES = [
    Breach(contract, at, imported)
    for contract, files in PLANTED.items()
    for at, modules in files.items()
    for imported in modules
]
CASES = [
    pytest.param(contract, at, id=f"{contract}-{at.removesuffix('.py').replace('/', '.')}")
    for contract, files in PLANTED.items()
    for at in files
]


def contracts() -> dict[str, str]:
    """Read the rules from `.importlinter`: short name and title, in the file's order."""
    read = configparser.ConfigParser()
    read.read_string((ROOT / ".importlinter").read_text(encoding="utf-8"))
    return {
        section.removeprefix(PREFIX): read[section]["name"]
        for section in read.sections()
        if section.startswith(PREFIX)
    }


def copy_sources(target: Path) -> Path:
    """Copy the package and its rules: what a test plants never touches the tree."""
    shutil.copy(ROOT / ".importlinter", target)
    return Path(
        shutil.copytree(
            ROOT / "src" / "havre",
            target / "src" / "havre",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    )


def plant(breach: Breach, package: Path) -> None:
    """Write one breach into a copy of the package."""
    path = package / breach.at
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{breach.line}", encoding="utf-8")


def lint(target: Path, *, only: str | None = None) -> subprocess.CompletedProcess[str]:
    """Check a copy; a wide screen, so that no title runs into its verdict."""
    words = [str(LINTER), "--no-cache", "--no-logo", "--config", str(target / ".importlinter")]
    return subprocess.run(
        words if only is None else [*words, "--contract", only],
        cwd=target,
        env={**os.environ, "PYTHONPATH": str(target / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def named(verdict: str, breach: Breach) -> bool:
    """Whether the linter's words name the two modules, on one line and in this order.

    An outer package is named by its root (`urllib` for `urllib.request`).
    """
    reached = (
        breach.imports if breach.imports.startswith("havre.") else breach.imports.split(".")[0]
    )
    return any(
        breach.importer in line and f"-> {reached}" in line.split(breach.importer, 1)[1]
        for line in verdict.splitlines()
    )


def test_the_sources_as_they_are_keep_every_rule(tmp_path: Path) -> None:
    copy_sources(tmp_path)

    done = lint(tmp_path)

    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(contracts())} kept, 0 broken." in done.stdout


@pytest.mark.parametrize(("contract", "at"), CASES)
def test_a_planted_breach_is_refused_by_name(contract: str, at: str, tmp_path: Path) -> None:
    breaches = [each for each in BREACHES if (each.contract, each.at) == (contract, at)]
    package = copy_sources(tmp_path)
    for each in breaches:
        plant(each, package)

    done = lint(tmp_path, only=contract)

    assert done.returncode == 1, done.stdout
    assert f"{contracts()[contract]} BROKEN" in done.stdout
    assert [str(each) for each in breaches if not named(done.stdout, each)] == []


def test_every_rule_has_a_planted_breach() -> None:
    assert list(PLANTED) == list(contracts())


# What an import rule cannot see: a module fetched by its name, and what a pure
# room can do with names that are always there or come from a harmless module.
HIDDEN = frozenset({"__import__", "import_module", "eval", "exec"})
IMPURE = frozenset({"open", "print", "input", "now", "today", "utcnow", "fromtimestamp"})
PURE = ("domain", "ports", "formats", "crypto", "snds", "values.py", "errors.py")


def calls(source: str, wanted: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Find calls of these names; a method counts only when it is a class's own, as in `date.today`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in wanted:
                yield node.lineno, called.id
            elif (
                isinstance(called, ast.Attribute)
                and called.attr in wanted
                and isinstance(called.value, ast.Name)
                and called.value.id in {"date", "datetime", "builtins", "importlib"}
            ):
                yield node.lineno, f"{called.value.id}.{called.attr}"


def found_in(paths: Iterator[Path], wanted: frozenset[str]) -> list[str]:
    """Name every place of such a call."""
    return [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sorted(paths)
        for line, name in calls(path.read_text(encoding="utf-8"), wanted)
    ]


def test_nothing_is_imported_by_a_name_made_at_run_time() -> None:
    assert found_in((ROOT / "src").rglob("*.py"), HIDDEN) == []


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_opens_nothing_and_asks_no_clock(room: str) -> None:
    path = ROOT / "src" / "havre" / room
    inside = iter([path]) if path.is_file() else path.rglob("*.py")

    assert found_in(inside, IMPURE) == []


@pytest.mark.parametrize(
    "line",
    [
        "__import__('polars')",
        "importlib.import_module('polars')",
        "exec('import os')",
        "open('rows.csv')",
        "datetime.now(UTC)",
        "date.today()",
    ],
)
def test_what_import_rules_cannot_see_is_noticed(line: str) -> None:
    assert list(calls(line, HIDDEN | IMPURE))
