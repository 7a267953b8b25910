"""What goes wrong most easily, and bad input from outside: each line has tests, and they exist.

docs/services.md shows the first table by files; here stand its tests by name.
docs/bad-input.md shows the second one whole.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HELD_BY: dict[str, tuple[str, ...]] = {
    "trust roots or cosignatures that the hub supplies": (
        "promises/test_p2_across_processes.py::test_what_a_hub_signs_with_keys_of_its_own_choice_is_nothing_to_a_custodian",
        "promises/test_p2_no_permit_no_key.py::test_a_head_without_its_witnesses_is_refused",
        "promises/test_p5_who_may_act.py::test_an_act_by_somebody_who_may_not_is_noticed_by_who_brings_trust_roots",
    ),
    "not recomputing the public key after combining": (
        "promises/test_p2_no_permit_no_key.py::test_shares_that_make_another_key_than_the_logs_open_nothing",
        "promises/test_p2_no_permit_no_key.py::test_a_share_of_another_hub_in_a_custodians_store_is_named",
    ),
    "cutting the log off at the restart": (
        "promises/test_p5_a_hub_killed_anywhere.py::test_a_hub_killed_after_a_cosignature_that_it_never_heard_of_finishes_the_same_head",
        "promises/test_p5_a_hub_killed_anywhere.py::test_a_hub_that_cuts_its_log_off_is_stopped_by_the_mirror",
        "promises/test_p5_across_processes.py::test_a_hub_killed_after_a_cosignature_finishes_the_same_head",
    ),
    "a threshold taken for a check of roles": (
        "unit/test_statements.py::test_another_role_does_not_count",
        "unit/test_statements.py::test_two_keys_of_one_house_are_one_person",
        "promises/test_p2_no_permit_no_key.py::test_what_is_missing_keeps_every_share_closed",
    ),
    "encrypting again at a retry with a stored key": (
        "unit/test_sealing.py::test_a_file_key_is_taken_once",
        "unit/test_vault.py::test_two_attempts_share_no_name_and_no_byte_of_cipher",
    ),
    "a plain hash of an output in an event": (
        "promises/test_p4_no_hash_of_an_output.py::test_the_log_says_nothing_of_an_output_that_its_content_would_betray",
    ),
    "HMAC keys as raw bytes here and as hexadecimal there": (
        "unit/test_pseudonyms.py::test_the_hmac_key_is_the_secrets_hexadecimal_not_its_bytes",
        "unit/test_pseudonyms.py::test_every_stage_agrees_with_the_vectors",
    ),
    "a custodian that asks the hub for a permit's state": (
        "promises/test_p2_across_processes.py::test_a_custodian_needs_nothing_of_the_hub_but_its_published_log",
        "promises/test_p2_a_log_over_the_web.py::test_a_web_server_that_hides_the_newest_entries_gets_nothing_opened",
    ),
}


# Of each kind of bad input: a word of its row in docs/bad-input.md.
BAD_INPUT = (
    "share of another key",
    "release request that is replayed",
    "certificate that has ended",
    "clocks that differ",
    "wrong PIN",
    "token removed in mid-ceremony",
    "truncated object",
    "swapped objects",
    "old manifest served as new",
    "200 with an empty body",
)


def names_in(path: Path) -> set[str]:
    """The names of the tests that a file has."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize("what", HELD_BY)
def test_each_is_held_by_tests_that_exist(what: str) -> None:
    for held_by in HELD_BY[what]:
        file, name = held_by.split("::")
        assert name in names_in(ROOT / "tests" / file), held_by


def test_the_page_names_the_same_files() -> None:
    page = (ROOT / "docs/services.md").read_text(encoding="utf-8")
    rows = {
        cells[1].strip(): cells[2]
        for line in page.splitlines()
        if len(cells := line.split("|")) == 4 and "`tests/" in line
    }

    assert list(rows) == list(HELD_BY)
    for what, held_by in HELD_BY.items():
        files = {f"`tests/{each.split('::')[0]}`" for each in held_by}
        assert {each.strip() for each in rows[what].split(",")} == files


def bad_input() -> dict[str, tuple[str, list[str]]]:
    """The rows of the page: what comes, and what it gets with the tests that hold it."""
    page = (ROOT / "docs/bad-input.md").read_text(encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in page.splitlines() if "::test_" in line]
    return {
        what: (gets, [each.strip(" `") for each in held_by.split(",")])
        for what, gets, held_by in cells
    }


def test_every_kind_of_bad_input_has_a_row() -> None:
    rows = list(bad_input())

    assert len(rows) == len(BAD_INPUT)
    assert all(word in row for word, row in zip(BAD_INPUT, rows, strict=True))


@pytest.mark.parametrize("what", bad_input())
def test_bad_input_is_held_by_tests_that_exist(what: str) -> None:
    _, held_by = bad_input()[what]

    assert held_by
    for each in held_by:
        file, name = each.split("::")
        assert name in names_in(ROOT / "tests" / file), each


def refusals() -> set[str]:
    """The names of every class that Havre refuses with: those that are below `HavreError`."""
    classes: dict[str, set[str]] = {"HavreError": set()}
    for path in (ROOT / "src/havre").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {each.id for each in node.bases if isinstance(each, ast.Name)}
                classes.setdefault(node.name, set()).update(bases)
    found = {"HavreError"}
    while more := {name for name, bases in classes.items() if bases & found} - found:
        found |= more
    return found


def test_what_bad_input_gets_is_named_by_classes_that_exist() -> None:
    named = {word for gets, _ in bad_input().values() for word in re.findall(r"`([A-Z]\w+)`", gets)}

    assert named
    assert named <= refusals()
