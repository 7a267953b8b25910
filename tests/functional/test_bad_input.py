"""Bad input, and what it gets: the table of the first release, row by row, on a real hub."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, quiet
from havre.adapters.sources import keys
from havre.application.ceremony import PartitionCatalogue
from havre.application.ingest import IngestReport
from havre.cli.demo_texts import PERMIT
from havre.crypto.random import new_object_id
from havre.domain.announcement import DeliveryHeld
from havre.domain.delivery_note import PREDICATE_DELIVERY_NOTE, DeliveryNote, note_predicate
from havre.domain.permit import project_secret
from havre.domain.statements import Statement, sign_statement
from havre.errors import InvalidInput
from havre.values import PartitionKind, parse_name

GOOD = (
    b"DCD_IDT_ENC;DCD_IDT_TOP;BEN_IDT_ANO;FLX_PER_ANN;BEN_RES_DPT;BEN_DCD_DTE;BEN_NAI_ANN;"
    b"BEN_SEX_COD;DCD_CIM_COD\n"
)


def line(number: int, **cells: str) -> bytes:
    values = {
        "DCD_IDT_ENC": f"{number:064x}",
        "DCD_IDT_TOP": "1",
        "BEN_IDT_ANO": f"PERSON{number:011d}",
        "FLX_PER_ANN": "2024",
        "BEN_RES_DPT": "075",
        "BEN_DCD_DTE": "2024-05-06",
        "BEN_NAI_ANN": "1950",
        "BEN_SEX_COD": "1",
        "DCD_CIM_COD": "I509",
    }
    return ";".join({**values, **cells}.values()).encode() + b"\n"


TEN = b"".join(line(number) for number in range(10))


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


def prepare(
    folder: Path, body: bytes = GOOD + TEN, name: str = "cepidc-bad", **others: bytes
) -> Path:
    """A delivery, announced as it is: of one file, and of others of the same table."""
    place = folder / name
    place.mkdir(parents=True)
    text = f'format = "havre/v1/delivery"\nname = "{name}"\ndataset = "cepidc"\n'
    for stem, content in {"KI_CCI_R": body, **others}.items():
        (place / f"{stem}.csv").write_bytes(content)
        text += (
            f'[[files]]\npath = "{stem}.csv"\ntable = "KI_CCI_R"\n'
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        )
    (place / "delivery.toml").write_text(text)
    return place


def deliver(hub: SmallHub, place: Path, *leave: str) -> DeliveryNote:
    (note,) = hub.holder().deliver([place], leave=leave, progress=quiet)
    return note


def ingest(hub: SmallHub) -> IngestReport:
    opened = hub.open()
    assert not opened.receiving.receive().held
    return opened.ingestion.ingest("cepidc", progress=quiet)


# ------------------------------------------------------------ the file is refused, the delivery held


def wrong_hash(place: Path) -> None:
    (place / "KI_CCI_R.csv").write_bytes(GOOD + TEN + line(99))


def missing(place: Path) -> None:
    (place / "KI_CCI_R.csv").unlink()


def extra(place: Path) -> None:
    (place / "NOTES.txt").write_text("hello")


def unknown(place: Path) -> None:
    text = (place / "delivery.toml").read_text()
    (place / "delivery.toml").write_text(text.replace('table = "KI_CCI_R"', 'table = "KI_XXX_R"'))


def symlink(place: Path) -> None:
    (place / "KI_CCI_R.csv").rename(place.parent / "elsewhere.csv")
    (place / "KI_CCI_R.csv").symlink_to(place.parent / "elsewhere.csv")


def folder(place: Path) -> None:
    (place / "KI_CCI_R.csv").unlink()
    (place / "KI_CCI_R.csv").mkdir()


def pipe(place: Path) -> None:
    (place / "KI_CCI_R.csv").unlink()
    os.mkfifo(place / "KI_CCI_R.csv")


def wrong_size(place: Path) -> None:
    with (place / "delivery.toml").open("a") as file:
        file.write("size_bytes = 7\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (wrong_hash, "KI_CCI_R.csv has another SHA-256 than announced"),
        (missing, "KI_CCI_R.csv is missing"),
        (extra, "NOTES.txt was not announced"),
        (unknown, "KI_CCI_R.csv is of a table that the catalogue does not know"),
        (symlink, "KI_CCI_R.csv is a link, not a file"),
        (folder, "KI_CCI_R.csv is a folder, not a file"),
        (pipe, "KI_CCI_R.csv is a pipe, a socket or a device, not a file"),
        (wrong_size, f"KI_CCI_R.csv has {len(GOOD + TEN)} bytes, not 7"),
    ],
)
def test_a_delivery_that_differs_is_held_and_everything_is_named(
    hub: SmallHub, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    place = prepare(tmp_path / "files")
    spoil(place)

    with pytest.raises(DeliveryHeld, match=said):
        deliver(hub, place)
    assert hub.open().inbox.list_deliveries() == []


def test_a_missing_column_holds_the_delivery(hub: SmallHub, tmp_path: Path) -> None:
    place = prepare(tmp_path / "files", GOOD.replace(b";DCD_CIM_COD", b"") + b"")

    with pytest.raises(DeliveryHeld, match="column DCD_CIM_COD is missing"):
        deliver(hub, place)


def test_a_column_too_many_waits_until_the_operator_confirms(hub: SmallHub, tmp_path: Path) -> None:
    body = GOOD[:-1] + b";SURPRISE\n" + line(1)[:-1] + b";secret\n"
    place = prepare(tmp_path / "files", body)
    with pytest.raises(DeliveryHeld, match="column SURPRISE is unknown"):
        deliver(hub, place)

    note = deliver(hub, place, "SURPRISE")

    assert note.files[0].notes == ("column SURPRISE was left behind: confirmed",)
    assert ingest(hub).accepted == 1


NO_HEADER = {
    "blank": (b"\n" + GOOD + TEN, "its first line is blank"),
    "blank, CRLF": (b"\r\n" + GOOD + TEN, "its first line is blank"),
    "blank, after a mark": (b"\xef\xbb\xbf\n" + GOOD + TEN, "its first line is blank"),
    "no header": (TEN, "none of the 9 cells of its first line is a column of KI_CCI_R"),
    "carriage returns": ((GOOD + TEN).replace(b"\n", b"\r"), "holds a carriage return"),
    "too long": (b"PERSON;" * 300_000 + b"\n", "its first line is too long"),
    "quoted": (GOOD.replace(b";", b'";"') + TEN, "its first line holds a quote"),
    "no text": (GOOD.replace(b"CIM", b"\xe9\xff") + TEN, "its first line is not UTF-8"),
    "one more name": (GOOD[:-1] + b";PERSON00000000009;I50\x1b9\n", "stand at 10, 11 of its first"),
}


@pytest.mark.parametrize("case", NO_HEADER)
def test_a_first_line_that_is_no_header_holds_the_delivery_and_nothing_of_it_is_repeated(
    hub: SmallHub, tmp_path: Path, case: str
) -> None:
    body, said = NO_HEADER[case]
    place = prepare(tmp_path / "files", body)

    with pytest.raises(DeliveryHeld, match=said) as held:
        deliver(hub, place)
    words = str(held.value)
    assert "PERSON" not in words
    assert "I50" not in words
    assert words.isprintable()
    assert len(words) < 500
    assert ".." not in words


def test_a_name_that_would_write_on_the_screen_is_counted_and_not_shown(
    hub: SmallHub, tmp_path: Path
) -> None:
    place = prepare(tmp_path / "files")
    (place / "a\x1b[2Jb").touch()
    (place / "a\nb").touch()

    with pytest.raises(
        DeliveryHeld, match="2 more, whose names are not plain, were not ann"
    ) as held:
        deliver(hub, place)
    assert str(held.value).isprintable()


def test_every_fault_of_files_and_headers_is_named_at_once(hub: SmallHub, tmp_path: Path) -> None:
    extra = GOOD[:-1] + b";SURPRISE\n"
    place = prepare(tmp_path / "files", GOOD + TEN, second=extra, third=b"\xff\xfe\n", fourth=GOOD)
    (place / "fourth.csv").unlink()

    with pytest.raises(DeliveryHeld) as held:
        deliver(hub, place)

    assert held.value.faults == (
        "fourth.csv is missing",
        "second.csv: column SURPRISE is unknown",
        "third.csv: its first line is not UTF-8",
    )
    assert "--leave-column" in held.value.hint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('dataset = "cepidc"', 'dataset = "cepidc"\nsender = "me"'),
        ("[[files]]", '[layout]\nquote = "no"\n[[files]]'),
        ("sha256", 'sha512 = "x"\nsha256'),
        ('table = "KI_CCI_R"', "table = 5"),
        ('path = "KI_CCI_R.csv"', 'path = "../KI_CCI_R.csv"'),
        ("sha256", 'size_bytes = "12"\nsha256'),
    ],
)
def test_an_announcement_is_read_strictly(
    hub: SmallHub, tmp_path: Path, old: str, new: str
) -> None:
    place = prepare(tmp_path / "files")
    text = (place / "delivery.toml").read_text()
    (place / "delivery.toml").write_text(text.replace(old, new, 1))

    with pytest.raises(InvalidInput, match=r"delivery\.toml"):
        deliver(hub, place)


@pytest.mark.parametrize("damage", ["changed", "dropped", "added"])
def test_a_sealed_delivery_that_changed_on_its_way_is_held(
    hub: SmallHub, tmp_path: Path, damage: str
) -> None:
    deliver(hub, prepare(tmp_path / "files"))
    objects = hub.hub / "inbox" / "cepidc-bad" / "objects" / "objects"
    first = next(path for path in objects.rglob("*") if path.is_file())
    if damage == "changed":
        first.chmod(0o600)
        first.write_bytes(first.read_bytes()[:-1] + b"x")
    elif damage == "dropped":
        first.unlink()
    else:
        guest = first.parent.parent / ("0" * len(first.parent.name)) / ("0" * 32)
        guest.parent.mkdir(exist_ok=True)
        shutil.copy(first, guest)

    held = hub.open().receiving.receive().held

    assert list(held) == ["cepidc-bad"]
    assert "object" in str(held["cepidc-bad"])


# ---------------------------------------------------------------------------- the row is set aside


AT_THE_HOLDER = {
    "short line": line(20)[:-6] + b"\n",
    "long line": line(20)[:-1] + b";more\n",
    "stray quote": line(20, DCD_CIM_COD='I5"9'),
    "invalid UTF-8": line(20, DCD_CIM_COD="I50").replace(b"I50", b"\xe9\xff"),
    "NUL byte": line(20, DCD_CIM_COD="I50").replace(b"I50", b"I\x0050"),
    "stray carriage return": line(20, DCD_CIM_COD="I50").replace(b"I50", b"I\r50"),
}


def test_a_byte_order_mark_inside_a_file_is_part_of_its_line(hub: SmallHub, tmp_path: Path) -> None:
    """Issue 2: it was taken off the first line of a block, and a row of empty cells invented."""
    note = deliver(hub, prepare(tmp_path / "files", GOOD + b"\xef\xbb\xbf\n" + TEN))

    (count,) = note.files
    assert (count.lines, count.sent, count.set_aside) == (11, 10, {"short line": 1})


@pytest.mark.parametrize("reason", AT_THE_HOLDER)
def test_a_line_that_cannot_be_split_stays_with_its_holder(
    hub: SmallHub, tmp_path: Path, reason: str
) -> None:
    bad = AT_THE_HOLDER[reason]
    note = deliver(
        hub, prepare(tmp_path / "files", GOOD + TEN[: len(TEN) // 2] + bad + TEN[len(TEN) // 2 :])
    )

    (count,) = note.files
    kept = hub.parties / "holder" / "set-aside" / "cepidc-bad" / "KI_CCI_R.csv.lines"
    assert (count.lines, count.sent, count.set_aside) == (11, 10, {reason: 1})
    assert kept.read_bytes() == bad
    assert ingest(hub).accepted == 10


def test_a_line_of_100_megabytes_is_set_aside_in_little_memory(
    hub: SmallHub, tmp_path: Path
) -> None:
    long = b"x" * 100_000_000 + b"\n"

    note = deliver(hub, prepare(tmp_path / "files", GOOD + line(1) + long + line(2)))

    kept = hub.parties / "holder" / "set-aside" / "cepidc-bad" / "KI_CCI_R.csv.lines"
    assert note.files[0].set_aside == {"line too long": 1}
    assert kept.stat().st_size == len(long)
    assert ingest(hub).accepted == 2


@pytest.mark.parametrize(
    ("bad", "reason", "rows"),
    [
        (line(20, FLX_PER_ANN="soon"), "wrong type in FLX_PER_ANN", 1),
        (line(20, BEN_DCD_DTE="2024-13-01"), "wrong type in BEN_DCD_DTE", 1),
        (line(20, BEN_SEX_COD="7"), "no rule", 0),
        (line(20, DCD_CIM_COD="I50900"), "text too long in DCD_CIM_COD", 1),
        (line(20) + line(20), "duplicate key", 2),
        (line(3), "duplicate key", 2),
    ],
)
def test_a_row_that_breaks_a_rule_is_set_aside_at_the_hub(
    hub: SmallHub, tmp_path: Path, bad: bytes, reason: str, rows: int
) -> None:
    deliver(hub, prepare(tmp_path / "files", GOOD + TEN + bad))

    report = ingest(hub)

    (file,) = report.files
    if rows:
        assert file.checked.set_aside == {reason: rows}
    else:
        assert sum(file.checked.set_aside.values()) == 1
    assert report.lines == report.accepted + report.set_aside


@pytest.mark.parametrize("together", ["in one delivery", "in two"])
@pytest.mark.parametrize("held_hashes", [5, 1_000])
def test_a_key_that_stands_in_two_files_of_one_run_sets_all_its_rows_aside(
    hub: SmallHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    together: str,
    held_hashes: int,
) -> None:
    """Whether all hashes of keys are held at once, or the keys are read in several passes."""
    monkeypatch.setattr(keys, "HELD_HASHES", held_hashes)
    other = b"".join(line(number) for number in (3, 20, 7, 21))
    if together == "in one delivery":
        deliver(hub, prepare(tmp_path / "files", GOOD + TEN, second=GOOD + other))
    else:
        deliver(hub, prepare(tmp_path / "files", GOOD + TEN))
        deliver(hub, prepare(tmp_path / "files", GOOD + other, name="cepidc-more"))

    report = ingest(hub)

    aside = [dict(each.checked.set_aside) for each in report.files]
    assert aside == [{"duplicate key": 2}, {"duplicate key": 2}]
    assert (report.accepted, report.set_aside) == (10, 4)


def test_files_that_share_no_key_are_taken_in_whole(hub: SmallHub, tmp_path: Path) -> None:
    other = b"".join(line(number) for number in range(10, 14))
    deliver(hub, prepare(tmp_path / "files", GOOD + TEN, second=GOOD + other))

    assert ingest(hub).accepted == 14


# -------------------------------------------------------------------------- accepted with a note


@pytest.mark.parametrize(
    ("body", "note", "accepted"),
    [
        (GOOD + line(1)[:-1] + b"\r\n" + line(2), "CRLF and LF are mixed", 2),
        (GOOD[:-1] + b"\r\n" + line(1) + line(2), "CRLF and LF are mixed", 2),
        (GOOD[:-1] + b"\r\n" + line(1)[:-1] + b"\r\n", "lines end with CRLF", 1),
        (GOOD[:-1] + b"\r\n" + line(1)[:-1], "lines end with CRLF", 1),
        (GOOD + line(1) + line(2)[:-1], "no newline at the end", 2),
        (b"\xef\xbb\xbf" + GOOD + line(1), "a byte order mark stands first", 1),
        (GOOD, "nothing but a header", 0),
        (b"", "an empty file", 0),
    ],
)
def test_what_is_unusual_and_harmless_is_accepted_with_a_note(
    hub: SmallHub, tmp_path: Path, body: bytes, note: str, accepted: int
) -> None:
    sent = deliver(hub, prepare(tmp_path / "files", body))

    assert note in sent.files[0].notes
    assert ingest(hub).accepted == accepted


# ------------------------------------------------------------------------------------ a full disk


INGEST = """
import sys
from pathlib import Path
from fakes.small_hub import SmallHub
hub = SmallHub(Path(sys.argv[1])).open()
held = hub.receiving.receive().held
for fault in held.values():
    raise fault
for dataset in hub.ingestion.waiting_datasets():
    hub.ingestion.ingest(dataset, progress=lambda _: None)
"""


def test_a_full_disk_leaves_the_old_version_and_the_command_can_be_run_again(
    hub: SmallHub, tmp_path: Path
) -> None:
    rows = b"".join(line(number) for number in range(4_000))
    deliver(hub, prepare(tmp_path / "files", GOOD + rows))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", INGEST, str(hub.root)]
    store = str(hub.hub / "store")
    tiny = ["/usr/bin/bwrap", "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", store, "--"]

    full = subprocess.run([*tiny, *command], env=environment, capture_output=True, check=False)
    again = subprocess.run(command, env=environment, capture_output=True, check=False)

    assert full.returncode != 0
    assert b"Unavailable" in full.stderr
    assert again.returncode == 0
    status = hub.open()
    assert [each.index for each in status.log.entries() if each.event.kind == "VersionPublished"]


# ---------------------------------------------------- what does not fit is said before it is copied


def crowded(hub: SmallHub, objects: int) -> DeliveryNote:
    """A delivery of so many small objects, signed and posted as a holder would."""
    opened, holder = hub.open(), hub.token("holder")
    landing = PartitionKind.LANDING
    known = PartitionCatalogue(opened.records, log=opened.log).list_partitions()
    store = opened.inbox.drafts("crowded")
    stored = [store.put(new_object_id(), [b"sealed"]) for _ in range(objects)]
    note = DeliveryNote(
        delivery="crowded",
        dataset="cepidc",
        landing=next(each.partition_id for each in known if each.partition.kind is landing),
        manifest=stored[0].object_id,
        objects={each.object_id: each.sha256 for each in stored},
        delimiter=";",
        files=(),
    )
    statement = Statement(
        PREDICATE_DELIVERY_NOTE, opened.roots.origin, note.delivery, note_predicate(note)
    )
    opened.inbox.post(note.delivery, sign_statement(statement, [holder]))
    return note


def test_a_delivery_of_more_objects_than_an_entry_lists_is_held_before_it_is_copied(
    hub: SmallHub,
) -> None:
    note = crowded(hub, 650)

    opened = hub.open()
    held = opened.receiving.receive().held

    assert "650 objects" in str(held["crowded"])
    assert "smaller parts" in str(held["crowded"])
    assert not set(opened.objects.list_objects()) & note.objects.keys()
    assert opened.inbox.list_deliveries() == ["crowded"]


def test_a_permit_whose_secret_could_have_no_name_is_refused_when_it_is_asked_for(
    hub: SmallHub,
) -> None:
    """Granted, it could never have been extracted: `pp-` and its name would be too long."""
    text = PERMIT.format(environment="a" * 64)

    with pytest.raises(InvalidInput, match="at most 61 characters"):
        hub.open().permits.ask(
            text.replace(PERMIT_NAME, "d" * 62).encode(), applicant=hub.token("researcher")
        )
    asked = hub.open().permits.ask(
        text.replace(PERMIT_NAME, "d" * 61).encode(), applicant=hub.token("researcher")
    )

    assert parse_name(project_secret(asked.permit.name)) == f"pp-{'d' * 61}"
