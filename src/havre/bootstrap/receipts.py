"""At a holder: receipts of deliveries, fetched, believed only after they were checked, and kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from havre.adapters.inbox.receipts import ReceiptFolder
from havre.adapters.inbox.sent import SentFolder
from havre.bootstrap.tokens import open_token
from havre.domain.delivery_receipt import DeliveryReceipt, check_own, open_receipt

Row = dict[str, Any]


def fetch_receipts(party: Path, *, hub: Path) -> list[Row]:
    """Fetch a receipt for each of the holder's own deliveries that has one.

    Kept under `receipts/` in the holder's directory, where a newer one of the same
    delivery takes the place of the older.

    Raises:
        NotGenuine, InvalidInput, WrongContext: a receipt does not hold; none behind it is kept.
    """
    token = open_token(party)
    roots = token.trust_roots()
    handed, sent = ReceiptFolder(hub / "receipts"), SentFolder(party / "sent")
    kept = ReceiptFolder(party / "receipts")
    rows: list[Row] = []
    for name in handed.list_deliveries():
        own = sent.find(name)
        if own is None:
            continue
        envelope = handed.receipt(name)
        receipt = open_receipt(envelope, roots=roots)
        check_own(receipt, own.envelope)
        kept.put(name, envelope)
        rows.append(receipt_row(receipt))
    return rows


def verify_receipt(envelope: bytes, *, party: Path) -> tuple[Row, list[Row]]:
    """Check a receipt with the party's own trust roots, offline.

    Returns it in short, and the rules of the contract that were broken.

    Raises:
        NotGenuine, InvalidInput, WrongContext: it does not hold.
    """
    receipt = open_receipt(envelope, roots=open_token(party).trust_roots())
    own = SentFolder(party / "sent").find(receipt.delivery)
    if own is not None:
        check_own(receipt, own.envelope)
    row = receipt_row(receipt)
    row["note"] = "the one that was sent from here" if own else "not known here"
    return row, broken_rules(receipt)


def receipt_row(receipt: DeliveryReceipt) -> Row:
    """What a receipt says, in numbers."""
    files = receipt.report["files"]
    aside: Counter[str] = Counter()
    for file in files:
        aside.update({"holder": sum(file["set_aside_at_the_holder"].values())})
        aside.update({"hub": sum(file["set_aside_at_the_hub"].values())})
    return {
        "delivery": receipt.delivery,
        "outcome": receipt.event.outcome,
        "entry": receipt.index,
        "files": len(files),
        "lines": sum(file["lines"] for file in files),
        "accepted": sum(file["accepted"] for file in files),
        "set_aside_at_the_holder": aside["holder"],
        "set_aside_at_the_hub": aside["hub"],
        "rules_broken": len(broken_rules(receipt)),
    }


def broken_rules(receipt: DeliveryReceipt) -> list[Row]:
    """The rules of the contract that the delivery broke."""
    judged = receipt.report.get("contract", {}).get("rules", [])
    return [
        {"rule": each["name"], "level": each["level"], "says": each["says"]}
        for each in judged
        if each["state"] == "broken"
    ]
