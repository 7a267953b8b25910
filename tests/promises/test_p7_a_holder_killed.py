"""P7 at the holder: a delivery that was killed goes on with the file it was at, and no line changes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from fakes.small_hub import SmallHub, copy_of, founded, quiet
from functional.test_bad_input import GOOD, line
from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.inbox.unfinished import UnfinishedFolder
from havre.adapters.objects.local import LocalObjects
from havre.application.dispatch import Fate
from havre.domain.delivery_note import DeliveryNote
from havre.errors import Unavailable

NAME, FILES, ROWS = "cepidc-large", ("a.csv", "b.csv", "c.csv", "d.csv"), 900

# What a holder runs, with files of the lake that end after 300 rows, so that one file becomes
# several objects. It is killed by the system, where nothing of it can clean up.
DELIVER = """
import os, signal, sys
from functools import partial
from pathlib import Path
from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.inbox.unfinished import UnfinishedFolder
from havre.adapters.sources import delimited
from havre.adapters.pseudonymiser import polars
from havre.adapters.tables import cells, parquet
from havre.bootstrap.holders import HolderSide

root, moment = sys.argv[1:]
parquet.MAX_FILE_ROWS, parquet.BLOCK_ROWS = 300, 100
parquet.read_blocks = partial(cells.read_blocks, rows=100)
polars._BLOCK_ROWS = 100
delimited._BLOCK_BYTES = delimited._PARSED_BYTES = 20_000
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before it is posted":
    InboxFolder.post = die
whole = UnfinishedFolder.keep

def keep(self, delivery, path, document):
    whole(self, delivery, path, document)
    if (moment, path) == ("between two files", "b.csv"):
        die()

UnfinishedFolder.keep = keep

def progress(now):
    if moment == "inside a file" and now.path == "c.csv" and now.rows > 2 * 900 + 600:
        die()

root = Path(root)
holder = HolderSide(root / "parties" / "holder", hub=root / "hub")
holder.deliver([root / "cepidc-large"], progress=progress)
"""


def body_of(number: int) -> bytes:
    """A file with rows of its own and, but for one file, lines that cannot be split."""
    rows = [line(number * 10_000 + row) for row in range(ROWS)]
    for place in () if number == 1 else (10, 700):
        rows.insert(place, b"too;short;%d\n" % number)
    return GOOD + b"".join(rows)


def announce(place: Path) -> None:
    text = f'format = "havre/v1/delivery"\nname = "{NAME}"\ndataset = "cepidc"\n'
    for path in FILES:
        sha256 = hashlib.sha256((place / path).read_bytes()).hexdigest()
        text += f'[[files]]\npath = "{path}"\ntable = "KI_CCI_R"\nsha256 = "{sha256}"\n'
    (place / "delivery.toml").write_text(text)


@cache
def killed(moment: str) -> SmallHub:
    """A hub whose holder was killed at a moment of its one delivery."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-killed-")))
    place = hub.root / NAME
    place.mkdir()
    for number, path in enumerate(FILES):
        (place / path).write_bytes(body_of(number))
    announce(place)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    child = subprocess.run(
        [sys.executable, "-c", DELIVER, str(hub.root), moment],
        env=environment,
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    return hub


def remembered(hub: SmallHub) -> dict[str, set[str]]:
    """By file, the objects that the holder remembers."""
    kept = (hub.parties / "holder" / "unfinished").glob(f"{NAME}/*.json")
    bodies = [json.loads(path.read_bytes()) for path in kept]
    return {each["file"]["path"]: set(each["order"]) for each in bodies}


def again(hub: SmallHub) -> DeliveryNote:
    (note,) = hub.holder().deliver([hub.root / NAME], progress=quiet)
    return note


def check_posted(hub: SmallHub, note: DeliveryNote) -> None:
    """Every line counts once, what is set aside is there, and what is posted is what the note lists."""
    assert [(each.path, each.lines, each.sent) for each in note.files] == [
        (path, ROWS + 2 * (number != 1), ROWS) for number, path in enumerate(FILES)
    ]
    kept = hub.parties / "holder" / "set-aside" / NAME
    for number, path in enumerate(FILES):
        lines = kept / f"{path}.lines"
        wanted = b"too;short;%d\n" % number * 2 if number != 1 else None
        assert (lines.read_bytes() if lines.exists() else None) == wanted
    posted = set(InboxFolder(hub.hub / "inbox", store=LocalObjects).objects(NAME).list_objects())
    assert posted == set(note.objects)
    assert remembered(hub) == {}


def check_taken_in(hub: SmallHub) -> None:
    """No row is lost or doubled: one that came twice would have a key that stands twice."""
    opened = hub.open()
    assert not opened.receiving.receive().held
    report = opened.ingestion.ingest("cepidc", progress=quiet)
    assert (report.lines, report.accepted) == (4 * ROWS + 6, 4 * ROWS)


@pytest.mark.parametrize("moment", ["between two files", "inside a file"])
def test_only_files_that_were_not_whole_are_sealed_again(moment: str, tmp_path: Path) -> None:
    hub = copy_of(killed(moment), tmp_path / "hub")
    before = remembered(hub)

    note = again(hub)

    assert sorted(before) == ["a.csv", "b.csv"]
    assert all(len(objects) > 1 and objects <= set(note.objects) for objects in before.values())
    check_posted(hub, note)
    check_taken_in(hub)


def test_killed_before_it_is_posted_nothing_is_sealed_again(tmp_path: Path) -> None:
    hub = copy_of(killed("before it is posted"), tmp_path / "hub")
    before = remembered(hub)

    note = again(hub)

    assert sorted(before) == [*FILES]
    assert set[str]().union(*before.values()) == set(note.objects) - {note.manifest}
    assert [each.name for each in (hub.parties / "holder" / "set-aside").iterdir()] == [NAME]
    check_posted(hub, note)


def test_ended_once_it_is_posted_it_is_there_already_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = copy_of(killed("inside a file"), tmp_path / "hub")
    with monkeypatch.context() as patch:
        patch.setattr(UnfinishedFolder, "forget", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            again(hub)
    assert sorted(remembered(hub)) == [*FILES]

    (tried,) = hub.holder().send([hub.root / NAME], progress=quiet)

    assert tried.fate is Fate.THERE
    assert remembered(hub) == {}


# ------------------------------------------------------------------ what changed in between


def a_changed_file(hub: SmallHub) -> None:
    place = hub.root / NAME
    body = (place / "a.csv").read_bytes()
    (place / "a.csv").write_bytes(body.replace(b";075;", b";013;", 1))
    announce(place)


def an_object_that_is_gone(hub: SmallHub) -> None:
    _draft_object(hub).unlink()


def an_object_with_another_byte(hub: SmallHub) -> None:
    path = _draft_object(hub)
    path.chmod(0o600)
    path.write_bytes(b"x" + path.read_bytes()[1:])


def _draft_object(hub: SmallHub) -> Path:
    name = min(remembered(hub)["a.csv"])
    return hub.hub / "inbox" / f".draft-{NAME}" / "objects" / "objects" / name[:2] / name


def lines_aside_that_are_cut_short(hub: SmallHub) -> None:
    path = hub.parties / "holder" / "set-aside" / f".draft-{NAME}" / "a.csv.lines"
    path.write_bytes(path.read_bytes()[:-3])


def a_memory_that_is_cut_short(hub: SmallHub) -> None:
    for path in (hub.parties / "holder" / "unfinished" / NAME).iterdir():
        if json.loads(path.read_bytes())["file"]["path"] == "a.csv":
            path.write_bytes(path.read_bytes()[:-3])


def a_count_that_was_changed(hub: SmallHub) -> None:
    for path in (hub.parties / "holder" / "unfinished" / NAME).iterdir():
        path.write_bytes(
            path.read_bytes().replace(b'"path":"a.csv","sent":900', b'"path":"a.csv","sent":899')
        )


@pytest.mark.parametrize(
    "change",
    [
        a_changed_file,
        an_object_that_is_gone,
        an_object_with_another_byte,
        lines_aside_that_are_cut_short,
        a_memory_that_is_cut_short,
        a_count_that_was_changed,
    ],
)
def test_a_file_of_which_something_changed_is_sealed_anew_and_no_other(
    change: Callable[[SmallHub], None], tmp_path: Path
) -> None:
    hub = copy_of(killed("inside a file"), tmp_path / "hub")
    before = remembered(hub)
    change(hub)

    note = again(hub)

    assert before["b.csv"] <= set(note.objects)
    assert not before["a.csv"] & set(note.objects)
    check_posted(hub, note)


def another_secret(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("havre.adapters.tokens.file.FileToken.secret", lambda *_: bytes(32))


def another_program(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("havre.application.resume.__version__", "0.0.1")


def another_landing_place(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = hub.hub / "holders" / "landing.json"
    used = {json.loads(path.read_bytes())["partition_id"] for path in _memory(hub)}
    places = json.loads(landing.read_bytes())
    landing.write_text(json.dumps([each for each in places if each["id"] not in used]))


def _memory(hub: SmallHub) -> list[Path]:
    return sorted((hub.parties / "holder" / "unfinished" / NAME).iterdir())


@pytest.mark.parametrize("change", [another_secret, another_program, another_landing_place])
def test_with_another_secret_program_or_landing_place_everything_is_sealed_anew(
    change: Callable[[SmallHub, pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = copy_of(killed("inside a file"), tmp_path / "hub")
    before = set[str]().union(*remembered(hub).values())
    change(hub, monkeypatch)

    note = again(hub)

    assert before
    assert not before & set(note.objects)
    check_posted(hub, note)


# ------------------------------------------------------------------------ what is kept, and for whom


def test_what_is_remembered_is_for_its_owner_alone_and_opens_nothing(tmp_path: Path) -> None:
    hub = copy_of(killed("inside a file"), tmp_path / "hub")
    secret = hub.token("holder").secret("stage-1")
    draft = hub.parties / "holder" / "set-aside" / f".draft-{NAME}"

    mine = [*_memory(hub), draft, *draft.iterdir()]
    assert len(mine) > 4
    assert not any(path.stat().st_mode & 0o077 for path in mine)
    for path in _memory(hub):
        body = path.read_bytes()
        assert secret not in body
        assert secret.hex().encode() not in body
        assert b"PERSON" not in body


def test_two_deliveries_that_were_cut_short_go_on_each_with_its_own(tmp_path: Path) -> None:
    """A place that a second delivery took in the meantime is not written to twice."""
    hub = copy_of(killed("inside a file"), tmp_path / "hub")
    other = hub.deliveries / "cepidc-2024"
    (taken,) = hub.holder().deliver([other], progress=quiet)
    before = remembered(hub)

    note = again(hub)

    assert note.landing != taken.landing
    assert not set[str]().union(*before.values()) & set(note.objects)
    assert not hub.open().receiving.receive().held


def test_a_full_inbox_costs_nothing_that_was_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = copy_of(killed("inside a file"), tmp_path / "hub")

    def full(*_: object) -> None:
        raise Unavailable("The hub's inbox takes nothing: no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(InboxFolder, "post", full)
        (tried,) = hub.holder().send([hub.root / NAME], progress=quiet)
    before = remembered(hub)

    note = again(hub)

    assert isinstance(tried.fault, Unavailable)
    assert set[str]().union(*before.values()) == set(note.objects) - {note.manifest}
    check_posted(hub, note)
