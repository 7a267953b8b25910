"""P5: what a holder is told of its delivery is what stands on the log, and it can check that alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from fakes.parties import Hands
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.bootstrap.intake import take_in
from havre.bootstrap.receipts import fetch_receipts, verify_receipt
from havre.domain.statements import Statement, sign_statement
from havre.errors import HavreError
from havre.formats.statements import parse_envelope, parse_statement

NAME = "pmsi-mco-2023"


@cache
def receipted() -> SmallHub:
    """A hub that took two deliveries in, made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-receipt-")))
    folders = [hub.deliveries / name for name in (NAME, "cepidc-2024")]
    hub.holder().deliver(folders, progress=quiet)
    assert set(take_in(hub.open(), (), progress=quiet).receipts) == {NAME, "cepidc-2024"}
    return hub


def holder(hub: SmallHub) -> Path:
    return hub.parties / "holder"


def fetched() -> bytes:
    fetch_receipts(holder(receipted()), hub=receipted().hub)
    return (holder(receipted()) / "receipts" / f"{NAME}.json").read_bytes()


def test_a_holder_fetches_a_receipt_with_its_own_exact_counts() -> None:
    rows = {
        row["delivery"]: row for row in fetch_receipts(holder(receipted()), hub=receipted().hub)
    }
    lines = sum(
        len(path.read_text().splitlines()) - 1
        for path in (receipted().deliveries / NAME).glob("*.csv")
    )

    assert rows.keys() == {NAME, "cepidc-2024"}
    assert rows[NAME]["outcome"] == "accepted"
    assert rows[NAME]["lines"] == rows[NAME]["accepted"] == lines


def test_no_receipt_lies_where_deliveries_wait() -> None:
    """P1: whoever keeps the inbox reads nothing, and a receipt has exact counts in clear."""
    place = receipted().open().place

    assert [path for path in place.inbox.rglob("*") if path.is_file()] == []
    assert not any(path.stat().st_mode & 0o027 for path in place.receipts.iterdir())
    assert not place.receipts.stat().st_mode & 0o027


def test_a_receipt_is_checked_without_the_hub(tmp_path: Path) -> None:
    envelope = fetched()
    shutil.copytree(holder(receipted()), tmp_path / "holder")

    row, broken = verify_receipt(envelope, party=tmp_path / "holder")

    assert row["note"] == "the one that was sent from here"
    assert broken == []


def test_one_that_is_missing_is_written_again(tmp_path: Path) -> None:
    hub = copy_of(receipted(), tmp_path)
    (hub.open().place.receipts / f"{NAME}.json").unlink()

    assert take_in(hub.open(), (), progress=quiet).receipts == [NAME]
    assert [row["delivery"] for row in fetch_receipts(holder(hub), hub=hub.hub)] == [
        "cepidc-2024",
        NAME,
    ]


def other_report(body: dict[str, Any]) -> None:
    report = json.loads(body["report"])
    report["files"][0]["accepted"] += 1
    body["report"] = json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def other_outcome(body: dict[str, Any]) -> None:
    body["entry"] = body["entry"].replace('"accepted"', '"held"')


def other_place(body: dict[str, Any]) -> None:
    body["checked"] += 1


def other_proof(body: dict[str, Any]) -> None:
    body["proof"] = body["proof"][:-1]


def unwitnessed(body: dict[str, Any]) -> None:
    text, _, lines = body["checkpoint"].partition("\n\n")
    body["checkpoint"] = f"{text}\n\n" + lines.splitlines(keepends=True)[0]


def a_salt_of_another(body: dict[str, Any]) -> None:
    body["salt"] = "0" * 64


def something_more(body: dict[str, Any]) -> None:
    body["comment"] = "all is well"


def something_less(body: dict[str, Any]) -> None:
    del body["handovers"]


def another_note(body: dict[str, Any]) -> None:
    body["note_sha256"] = "0" * 64


ALTERED: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (other_report, "not what was committed to"),
    (other_outcome, "proof|root|tree"),
    (other_place, "proof|root|tree"),
    (other_proof, "proof|length|tree"),
    (unwitnessed, "witnesses stand behind"),
    (a_salt_of_another, "not what was committed to"),
    (something_more, "spells it otherwise"),
    (something_less, "spells it otherwise"),
    (another_note, "another delivery"),
]


@pytest.mark.parametrize(
    ("alter", "said"), ALTERED, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_receipt_that_the_hub_itself_altered_is_noticed(
    alter: Callable[[dict[str, Any]], None], said: str
) -> None:
    """Signed anew with the hub's own key: a signature alone would not notice."""
    statement = parse_statement(parse_envelope(fetched()).payload)
    body: dict[str, Any] = json.loads(json.dumps(statement.predicate))
    alter(body)
    signed = sign_statement(replace(statement, predicate=body), [receipted().open().token])

    with pytest.raises(HavreError, match=said):
        verify_receipt(signed, party=holder(receipted()))


def by_a_stranger(statement: Statement) -> bytes:
    return sign_statement(statement, [Hands("stranger")])


def by_another_party(statement: Statement) -> bytes:
    return sign_statement(statement, [receipted().token("holder")])


def about_another(statement: Statement) -> bytes:
    return sign_statement(replace(statement, subject="d2"), [receipted().open().token])


def of_another_log(statement: Statement) -> bytes:
    return sign_statement(replace(statement, origin="other"), [receipted().open().token])


def of_another_kind(statement: Statement) -> bytes:
    other = replace(statement, predicate_type="havre/v1/delivery-note")
    return sign_statement(other, [receipted().open().token])


@pytest.mark.parametrize(
    ("sign", "said"),
    [
        (by_a_stranger, "not signed with the key of the log"),
        (by_another_party, "not signed with the key of the log"),
        (about_another, "about another delivery"),
        (of_another_log, "another log"),
        (of_another_kind, "no receipt"),
    ],
)
def test_a_receipt_of_another_signer_log_or_kind_is_none(
    sign: Callable[[Statement], bytes], said: str
) -> None:
    statement = parse_statement(parse_envelope(fetched()).payload)

    with pytest.raises(HavreError, match=said):
        verify_receipt(sign(statement), party=holder(receipted()))
