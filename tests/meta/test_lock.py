"""What is installed is what was read: every package pinned, hashed, and explained."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SERVERS = ROOT / "tests" / "servers"
SERVERS_LOCK = (SERVERS / "requirements.lock").read_text(encoding="utf-8")
PIN = re.compile(r"^(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)==(?P<version>[0-9][0-9a-z.]*)(?: ; .+)?$")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
# One line of a table of docs/dependencies.md: the package is its first cell.
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \|(?P<rest>.*)\|$", re.MULTILINE)


def project() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def bare(requirement: str) -> str:
    """Take the name out of a requirement: `ibis-framework[duckdb]>=12` is `ibis-framework`."""
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower()


def wanted() -> dict[str, str]:
    """Every direct dependency, for running and for building: its name and its requirement."""
    read = project()
    lists = (
        read["build-system"]["requires"],
        read["project"]["dependencies"],
        *read["project"]["optional-dependencies"].values(),
        *read["dependency-groups"].values(),
    )
    return {bare(each): each for group in lists for each in group}


def servers() -> dict[str, str]:
    """What the integration tests start, locked apart so that `make setup` stays light."""
    lines = (SERVERS / "requirements.in").read_text(encoding="utf-8").split()
    return {bare(each): each for each in lines}


def blocks(lock: str) -> dict[str, list[str]]:
    """Cut a lock file into packages: the pin, and the words that belong to it."""
    logical = lock.replace("\\\n", " ").splitlines()
    entries = [line for line in logical if line.strip() and not line.startswith("#")]
    return {line.split(" --hash", 1)[0].strip(): line.split()[1:] for line in entries}


def faults(lock: str) -> list[str]:
    """Name everything in a lock file that could bring in something nobody has read."""
    found = [f"no exact version: {pin}" for pin in blocks(lock) if not PIN.match(pin)]
    found += [
        f"no hash: {pin}"
        for pin, words in blocks(lock).items()
        if not any(HASH.fullmatch(word) for word in words)
    ]
    found += [
        f"an address or an index: {word}"
        for word in ("://", "file:", "--index-url", "--extra-index-url", "--find-links", " @ ")
        if word in lock
    ]
    return found


@pytest.mark.parametrize("lock", [LOCK, SERVERS_LOCK], ids=["the project's", "the servers'"])
def test_every_package_is_pinned_and_hashed_and_no_address_is_named(lock: str) -> None:
    assert faults(lock) == []


def test_a_server_for_tests_is_pinned_exactly_and_comes_with_no_setup() -> None:
    """It is a large binary: one version was looked at, and only integration tests need it."""
    assert set(servers().values()) <= set(blocks(SERVERS_LOCK))
    assert not servers().keys() & {pin.split("==", 1)[0] for pin in blocks(LOCK)}


@pytest.mark.parametrize(
    "spoilt",
    [
        "polars==2.1.0\n",
        "polars>=2 \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "polars==2.1.0 \\\n    --hash=md5:" + "0" * 32 + "\n",
        "--extra-index-url https://packages.example\n" + LOCK,
        "polars @ file:///polars.whl \\\n    --hash=sha256:" + "0" * 64 + "\n",
    ],
    ids=["without a hash", "without a version", "a weak hash", "an index", "an address"],
)
def test_a_spoilt_lock_is_noticed(spoilt: str) -> None:
    assert faults(spoilt)


def test_every_direct_dependency_is_locked() -> None:
    locked = {pin.split("==", 1)[0] for pin in blocks(LOCK)}

    assert sorted(wanted().keys() - locked) == []


def test_the_build_backend_is_pinned_and_locked() -> None:
    (backend,) = project()["build-system"]["requires"]

    assert PIN.match(backend)
    assert backend in blocks(LOCK)


@pytest.mark.parametrize("name", ["duckdb", "duckdb-extension-httpfs"])
def test_duckdb_and_its_extension_have_one_and_the_same_version(name: str) -> None:
    """The extension is native code that is loaded into the engine: another version is refused."""
    version = wanted()["duckdb"].removeprefix("duckdb==")

    assert wanted()[name] == f"{name}=={version}"
    assert f"{name}=={version}" in blocks(LOCK)


def test_every_direct_dependency_is_explained_and_nothing_else_is() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    explained = [match["name"] for match in ROW.finditer(page)]

    assert sorted(explained) == sorted(wanted() | servers())


def test_every_explanation_says_why_under_which_licence_and_what_would_replace_it() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    cells = {match["name"]: match["rest"].split("|") for match in ROW.finditer(page)}

    assert [
        name
        for name, rest in cells.items()
        if len(rest) != 3 or not all(cell.strip() for cell in rest)
    ] == []
