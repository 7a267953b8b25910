"""P5: what a drill observed is on the record, and a stranger judges it again.

The hub that lies here has its own key and signs whatever it likes: what is left is
that the receipt must be the one on the log, and lead to the verdict that it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from fakes.small_hub import SmallHub, copy_of, founded, ingested
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.adapters.tokens.file import FileToken
from havre.bootstrap.drills.desk import list_drills, open_desk
from havre.bootstrap.drills.subpoena import subpoena
from havre.crypto.random import new_object_id
from havre.domain.drill_receipt import DrillRun
from havre.domain.events import DrillRan, events_of
from havre.domain.rehearsals import DRILLS, DrillName
from havre.formats.canonical import encode_canonical
from havre.formats.statements import Envelope, encode_envelope, signed_bytes
from havre.ports.records import Document


@cache
def drilled() -> SmallHub:
    """A hub that held a drill and published it."""
    hub = copy_of(ingested(), Path(mkdtemp(prefix="havre-drilled-")))
    opened = hub.open()
    subpoena(opened)
    opened.publication.publish()
    return hub


def trust(hub: SmallHub) -> list[object]:
    return ["--trust", hub.parties / "authority-1" / "trust.json"]


def receipt_of(hub: SmallHub) -> Path:
    (path,) = (hub.hub / "site" / "drills").iterdir()
    return path


def test_a_stranger_finds_the_receipt_and_judges_it_anew() -> None:
    hub = drilled()

    done = verify(hub.hub / "site", *trust(hub), "--json")

    assert done.returncode == GENUINE
    said = json.loads(done.stdout)
    assert "1 receipts of drills, judged anew" in said["checked"]
    assert [each for each in said["not_checked"] if "drill" in each] == []


def test_a_receipt_that_is_not_there_is_counted(tmp_path: Path) -> None:
    hub = copy_of(drilled(), tmp_path)
    receipt_of(hub).unlink()

    done = verify(hub.hub / "site", *trust(hub), "--json")

    assert done.returncode == GENUINE
    assert "drills whose receipt is not beside the log: 1" in json.loads(done.stdout)["not_checked"]


def test_both_pages_show_the_drill_its_age_and_its_criteria() -> None:
    site = drilled().hub / "site"

    for language, held, count in (("fr", "promesse tenue", "Âge"), ("en", "promise held", "Age")):
        index = (site / language / "index.html").read_text()
        page = (site / language / "drills.html").read_text()
        assert held in index
        assert count in index
        assert f"../drills/{receipt_of(drilled()).name}" in page
        assert page.count('<th scope="row">') >= len(DRILLS[DrillName.SUBPOENA].criteria)


def test_the_list_says_what_is_overdue(tmp_path: Path) -> None:
    rows = {row["drill"]: row for row in list_drills(drilled().open())}
    fresh = {row["drill"]: row for row in list_drills(founded().open())}

    assert rows["subpoena"]["verdict"] == "held"
    assert rows["subpoena"]["age_days"] == 0
    assert fresh["subpoena"]["verdict"] == "never"
    assert fresh["subpoena"]["counts_as_failed"]
    done = subprocess.run(
        [sys.executable, "-m", "havre", "drill", "list", "--hub", str(drilled().hub), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == list(rows.values())


def test_an_incomplete_drill_is_no_success_anywhere(tmp_path: Path) -> None:
    hub = copy_of(ingested(), tmp_path)
    opened = hub.open()
    desk = open_desk(opened)
    first, *rest = DRILLS[DrillName.SUBPOENA].criteria
    observed = {each.name: each.limit for each in rest}
    run = DrillRun(
        drill=DrillName.SUBPOENA, observed=observed, not_run={first.name: "no leave to read"}
    )

    desk.record(run, begun=desk.begin())

    opened.publication.publish()
    (ran,) = events_of([each.event for each in opened.log.entries()], DrillRan)
    assert (ran.verdict, ran.counters["criteria_not_run"]) == ("incomplete", 1)
    page = (hub.hub / "site/en/drills.html").read_text()
    assert "not wholly tried" in page
    assert "no leave to read" in page
    assert verify(hub.hub / "site", *trust(hub)).returncode == GENUINE


# ------------------------------------------------------------ a hub that lies about it


def lie(
    hub: SmallHub, change: Callable[[dict[str, Any]], None], *, signer: FileToken | None = None
) -> None:
    """Put another receipt on the log, signed by the hub or somebody else, with these changes."""
    opened = hub.open()
    envelope = json.loads(receipt_of(hub).read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    payload = encode_canonical(statement)
    token = signer or opened.token
    signature = (token.public, token.sign(signed_bytes(payload)))
    receipt = encode_envelope(Envelope(payload, (signature,)))
    digest = hashlib.sha256(receipt).hexdigest()
    opened.journal.record(
        DrillRan(
            event_id=new_object_id(),
            at=opened.clock.now(),
            drill="subpoena",
            verdict="held",
            counters=json.loads(json.dumps(statement["predicate"]["counters"])),
            receipt_sha256=digest,
        ),
        documents=[Document("drill-receipt", digest, receipt)],
    )
    opened.publication.publish()


def leak(statement: dict[str, Any]) -> None:
    """Three canaries were read, and the verdict stays."""
    criterion = statement["predicate"]["criteria"][0]
    criterion["observed"], criterion["held"] = 3, False


def leak_and_say_held(statement: dict[str, Any]) -> None:
    statement["predicate"]["criteria"][0]["observed"] = 3


def never_tried(statement: dict[str, Any]) -> None:
    criterion = statement["predicate"]["criteria"][0]
    criterion["observed"], criterion["held"], criterion["not_run"] = None, None, "no leave"


def no_criteria(statement: dict[str, Any]) -> None:
    statement["predicate"]["criteria"] = []


def another_verdict(statement: dict[str, Any]) -> None:
    statement["predicate"]["verdict"] = "failed"


def another_log(statement: dict[str, Any]) -> None:
    statement["subject"][-1]["digest"]["sha256"] = "0" * 64


def a_log_to_come(statement: dict[str, Any]) -> None:
    statement["predicate"]["log_size"] += 1_000


def another_drill(statement: dict[str, Any]) -> None:
    name = statement["subject"][0]["name"].replace("#subpoena", "#fork")
    digest = hashlib.sha256(name.replace("#", "\n").encode()).hexdigest()
    statement["subject"][0] = {"digest": {"sha256": digest}, "name": name}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (leak, "another verdict than its own numbers"),
        (leak_and_say_held, "judges canaries otherwise"),
        (never_tried, "another verdict than its own numbers"),
        (no_criteria, "another verdict than its own numbers"),
        (another_verdict, "does not say what its entry"),
        (another_log, "another log"),
        (a_log_to_come, "another log"),
        (another_drill, "no receipt that the log names"),
    ],
)
def test_a_receipt_that_contradicts_itself_or_the_log_is_refused(
    change: Callable[[dict[str, Any]], None], reason: str, tmp_path: Path
) -> None:
    hub = copy_of(drilled(), tmp_path)
    lie(hub, change)

    done = verify(hub.hub / "site", *trust(hub))

    assert done.returncode == NOT_GENUINE
    assert reason in done.stdout


def test_a_receipt_that_says_the_same_is_accepted(tmp_path: Path) -> None:
    """So that the refusals above are about what was changed."""
    hub = copy_of(drilled(), tmp_path)
    lie(hub, lambda _statement: None)

    assert verify(hub.hub / "site", *trust(hub)).returncode == GENUINE


def test_a_receipt_by_somebody_else_is_refused(tmp_path: Path) -> None:
    hub = copy_of(drilled(), tmp_path)
    lie(hub, lambda _statement: None, signer=hub.token("researcher"))

    done = verify(hub.hub / "site", *trust(hub))

    assert done.returncode == NOT_GENUINE
    assert "not signed by the hub" in done.stdout


def test_an_altered_receipt_and_a_strange_file_beside_it_are_refused(tmp_path: Path) -> None:
    for number, spoil in enumerate((_alter, _add)):
        hub = copy_of(drilled(), tmp_path / str(number))
        spoil(receipt_of(hub))

        done = verify(hub.hub / "site", *trust(hub))

        assert done.returncode == NOT_GENUINE
        assert "not named by its own hash" in done.stdout


def _alter(receipt: Path) -> None:
    receipt.write_bytes(receipt.read_bytes().replace(b"payload", b"payloae", 1))


def _add(receipt: Path) -> None:
    (receipt.parent / "extra.json").write_bytes(receipt.read_bytes())
