"""What is played in the opposition drill: people object while a hub works, and take it back.

People are found again in an extract by what the holder's own file says of them and
of nobody else: a year and month of birth, a sex, a place. Their pseudonym there is
then looked for in every later extract of the same project. Nothing of this reads a
register, a root or a secret, so that what the hub says of itself is not believed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from havre.application.ceremony import PartitionCatalogue
from havre.application.run import StudyCode
from havre.application.vault.keys import KeysWanted
from havre.application.vault.reading import ListedFile, ReadPlace, manifest_locations
from havre.application.vault.sealing import MANIFEST_DOCUMENT
from havre.bootstrap.drills.objecting_holder import RECEIPT, SEND, Answer, Asked
from havre.bootstrap.drills.stage import Stage
from havre.bootstrap.opposing import take_in_lists
from havre.bootstrap.strangers import verifier_path
from havre.bootstrap.studies import check_environment
from havre.domain.events import ExtractMade, events_of
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.statements import envelope_digest
from havre.errors import HavreError, NotFound, Refused, Unavailable
from havre.values import Partition, PartitionKind

PERMIT = "rehearsal-people"
EVERY_DAYS = 7
# What says who somebody is without any number; all of it stands in the extract.
TOLD = ("BEN_NAI_ANN", "BEN_NAI_MOI", "BEN_SEX_COD", "BEN_RES_DPT", "BEN_RES_COM")
_NUMBERS = ("BEN_NIR_PSA", "BEN_NIR_ANO", "BEN_IDT_ANO")
_DELIVERIES = ("beneficiaires-2023", "dcir-2023-03", "dcir-2023-04", "dcir-2023-05")
_LATE = 3
_HOLDER_S = 120
_STUDY = b"""
import polars as pl
from havre.study import Outputs, Tables

people = Tables().people().collect()
rows = people.group_by("sex").agg(people=pl.len()).sort("sex")
Outputs().table("people.csv", rows, title="By sex", counts=["people"], measures=["sex"])
"""
_TEXT = """\
[permit]
name = "{name}"
title = "People and their care"
purpose = "Rehearse what becomes of somebody who objects."
applicant = "researcher"
people = ["researcher"]
period = [2023-01-01, 2023-12-31]
starts_on = {starts}
ends_on = {ends}
environment_sha256 = "{environment}"

[tables.beneficiaires.IR_BEN_R]
columns = ["BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_IDT_ANO", "BEN_NAI_ANN", "BEN_NAI_MOI", "BEN_SEX_COD", "BEN_RES_DPT", "BEN_RES_COM", "BEN_DCD_DTE"]

[tables.dcir.ER_PRS_F]
columns = ["BEN_NIR_PSA", "EXE_SOI_DTD", "PRS_NAT_REF"]

[output]
min_count = 11
kinds = ["table"]
"""

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Somebody:
    """A made-up person, as the holder knows them: one number, and what is told of nobody else."""

    number: str
    told: tuple[str, ...]


@dataclass(slots=True)
class Story:
    """What came of it.

    failures: the steps that failed and why; nothing from any data.
    observed: by criterion.
    """

    failures: dict[str, str] = field(default_factory=dict)
    observed: dict[str, int] = field(default_factory=dict)
    people: int = 0


class Player:
    """Plays the story on a stage."""

    def __init__(self, stage: Stage, *, seed: str, environment: Path | None) -> None:
        self._stage = stage
        self._environment = environment
        self._folder = stage.root / "holder-files"
        self._folder.mkdir()
        self._people = chosen_people(stage, seed=seed, people=_LATE + 1)
        self._known: Rows = {}
        self._days = 0
        self.story = Story(people=len(self._people))

    def play(self) -> Story:
        """Play all of it; a step that fails is noted, and what it should have changed stays as it was."""
        early, late = self._people[:1], self._people[1:]
        self._do("prepare", self._prepare)
        self._known = self._extract("extract without any list")
        self._list("the first list", early)
        without_early = self._extract("extract after the first list")
        objected_at = self._stage.clock.now()
        self._come_early(early + late)
        self._wait(EVERY_DAYS)
        self._overtake(early + late)
        without = self._extract("extract after the second list")
        at = self._stage.clock.now()
        receipts = self._receipts(early + late)
        self._judge_extracts(without_early, early, without, early + late)
        self.story.observed["delay"] = self._delay(objected_at, at, without, late)
        self._try_outputs(without)
        self._wait(EVERY_DAYS)
        back, gone = late[:1], early + late[1:]
        self._list("the third list", gone)
        again = self._extract("extract after the third list")
        self._judge_return(again, back=back, gone=gone)
        self._verify_receipts(receipts)
        self.story.observed["lists"] = len(self._updates())
        return self.story

    # ------------------------------------------------------------ steps

    def _do(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except HavreError as fault:
            self.story.failures[name] = fault.message
        except Exception as fault:  # noqa: BLE001 - its text may quote anything
            self.story.failures[name] = type(fault).__name__

    def _prepare(self) -> None:
        stage, today = self._stage, self._stage.clock.now().date()
        stage.deliver(*_DELIVERIES)
        stage.take_in()
        study = check_environment(self._environment) if self._environment else "0" * 64
        text = _TEXT.format(
            name=PERMIT, starts=today, ends=today + timedelta(days=365), environment=study
        )
        stage.open().permits.ask(text.encode(), applicant=stage.token("researcher"))
        for name in ("authority-1", "authority-2"):
            stage.open().permits.sign(PERMIT, authority=stage.token(name))

    def _wait(self, days: int) -> None:
        self._stage.clock.forward(days)
        self._days += days

    def _extract(self, name: str) -> Rows:
        """Make an extract and read the newest there is, as the project's own run would."""
        self._do(name, lambda: self._stage.open().extraction.extract(PERMIT))
        rows: list[Rows] = []
        self._do(f"read: {name}", lambda: rows.append(newest_rows(self._stage)))
        return rows[0] if rows else {}

    def _list(self, name: str, people: Sequence[Somebody]) -> None:
        self._do(name, lambda: self._send(people))
        self._do(f"take in: {name}", lambda: take_in_lists(self._stage.open()))

    def _send(self, people: Sequence[Somebody]) -> None:
        if refused := self._ask_to_send(people).refused:
            raise Refused(refused)

    def _ask_to_send(self, people: Sequence[Somebody]) -> Answer:
        lines = ["person;BEN_NIR_PSA", *(f"{each.number};{each.number}" for each in people)]
        file = self._folder / f"list-{self._days}.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self._holder(SEND, file, every_hours=EVERY_DAYS * 24)

    def _come_early(self, people: Sequence[Somebody]) -> None:
        """The same day, the holder is pressed to send another list: it must not get through."""
        before = len(self._updates())
        sent = self._ask_to_send(people)
        self._do("take in: a list before its day", lambda: take_in_lists(self._stage.open()))
        came = sent.version > 0 or len(self._updates()) > before
        self.story.observed["early-lists"] = int(came)

    def _overtake(self, people: Sequence[Somebody]) -> None:
        """A list comes in while an extract is being sealed: that extract must not come to exist."""
        came: list[int] = []

        def meanwhile(_table: str) -> None:
            if not came:
                came.append(1)
                self._list("the second list", people)

        before = len(self._extracts())
        try:
            self._stage.open().extraction.extract(PERMIT, progress=meanwhile)
        except Refused:
            pass
        except HavreError as fault:
            self.story.failures["extract while a list comes in"] = fault.message
        self.story.observed["overtaken"] = len(self._extracts()) - before

    def _receipts(self, people: Sequence[Somebody]) -> dict[str, Path]:
        """Have the holder make everybody's receipt; each is given to its person alone."""
        made = {}
        for number, each in enumerate(people):
            file, out = self._folder / f"number-{number}", self._folder / f"receipt-{number}.json"
            file.write_text(each.number, encoding="utf-8")
            answer = self._holder(RECEIPT, file, out=str(out))
            if answer.refused:
                self.story.failures[f"receipt {number}"] = answer.refused
            else:
                made[each.number] = out
        return made

    def _holder(self, act: str, file: Path, *, every_hours: int = 0, out: str = "") -> Answer:
        party, hub = str(self._stage.parties / "holder"), str(self._stage.hub)
        asked = Asked(act, party, hub, self._days, str(file), every_hours, out)
        words = [sys.executable, "-I", "-m", "havre.bootstrap.drills.objecting_holder"]
        done = subprocess.run(
            [*words, json.dumps(asdict(asked))],
            capture_output=True,
            timeout=_HOLDER_S,
            check=False,
            cwd="/",
            env={},
        )
        try:
            return Answer(**json.loads(done.stdout))
        except (TypeError, ValueError):
            raise Unavailable(
                "The process of the drill's holder ended without an answer."
            ) from None

    # ------------------------------------------------------------ what is seen

    def _updates(self) -> list[OppositionsUpdated]:
        return events_of(
            (logged.event for logged in self._stage.open().log.entries()), OppositionsUpdated
        )

    def _extracts(self) -> list[ExtractMade]:
        return events_of((logged.event for logged in self._stage.open().log.entries()), ExtractMade)

    def _pseudonyms(self, people: Iterable[Somebody]) -> set[Any]:
        """Find people in the extract from before there was any list."""
        told = {each.told for each in people}
        rows = self._known.get("IR_BEN_R", [])
        return {row["BEN_NIR_PSA"] for row in rows if told_of(row) in told}

    def _left(self, tables: Rows, people: Sequence[Somebody]) -> int:
        """Count the rows that are somebody's of these, by pseudonym or by what is told of them."""
        if not tables:
            return len(people)
        numbers, told = self._pseudonyms(people), {each.told for each in people}
        left = sum(row["BEN_NIR_PSA"] in numbers for rows in tables.values() for row in rows)
        return left + sum(
            row["BEN_NIR_PSA"] not in numbers and told_of(row) in told
            for row in tables.get("IR_BEN_R", [])
        )

    def _lost(self, tables: Rows, people: Sequence[Somebody]) -> int:
        """Count the rows of everybody else that were there before and are there no longer."""
        numbers = self._pseudonyms(people)
        lost = 0
        for table, rows in self._known.items():
            before = Counter(_row(row) for row in rows if row["BEN_NIR_PSA"] not in numbers)
            lost += (before - Counter(map(_row, tables.get(table, [])))).total()
        return lost

    def _judge_extracts(
        self, first: Rows, early: Sequence[Somebody], second: Rows, all_of_them: Sequence[Somebody]
    ) -> None:
        found = len(self._pseudonyms(all_of_them)) == len(all_of_them)
        if not found:
            self.story.failures["find everybody"] = "not everybody was in the first extract"
        self.story.observed["residual-rows"] = (
            self._left(first, early) + self._left(second, all_of_them) + (0 if found else 1)
        )
        self.story.observed["rows-lost"] = self._lost(first, early) + self._lost(
            second, all_of_them
        )

    def _delay(
        self, objected_at: datetime, at: datetime, tables: Rows, late: Sequence[Somebody]
    ) -> int:
        """Whole days from an objection to the first extract without the person."""
        days = (at - objected_at) // timedelta(days=1)
        return days if not self._left(tables, late) else days + EVERY_DAYS

    def _judge_return(
        self, tables: Rows, *, back: Sequence[Somebody], gone: Sequence[Somebody]
    ) -> None:
        numbers = {row["BEN_NIR_PSA"] for row in tables.get("IR_BEN_R", [])}
        self.story.observed["not-back"] = len(back) - len(self._pseudonyms(back) & numbers)
        self.story.observed["residual-rows"] += self._left(tables, gone)
        self.story.observed["rows-lost"] += self._lost(tables, gone)

    def _try_outputs(self, tables: Rows) -> None:
        """Run a study on the newest extract, release what it counts, and compare."""
        if self._environment is None:
            return
        # As a study counts people: several numbers of one person are one (`study.tables`).
        expected = len({row["BEN_IDT_ANO"] for row in tables.get("IR_BEN_R", [])} - {None})
        counted: list[int] = []
        self._do("run, review and release", lambda: counted.append(self._released()))
        # A study that gave nothing shows nothing: everybody who objects counts as counted.
        self.story.observed["in-outputs"] = (
            max(0, counted[0] - expected) if counted else self.story.people
        )

    def _released(self) -> int:
        environment, stage = self._environment, self._stage
        if environment is None:
            raise NotFound("There is no study environment.")
        code = StudyCode(
            files={"study.py": _STUDY},
            arguments=(),
            environment=str(environment.resolve()),
            environment_sha256=check_environment(environment),
        )
        researcher = stage.token("researcher")
        job = stage.open().runs.run(PERMIT, code, researcher=researcher).record
        opened = stage.open()
        opened.reviews.submit("counted", job.job, researcher=researcher)
        for checker in ("checker-1", "checker-2"):
            opened.reviews.vote("counted", "approve", checker=stage.token(checker))
        opened.releases.release("counted")
        (table,) = (stage.hub / "site/releases/counted").rglob("people.csv")
        with table.open(encoding="utf-8", newline="") as file:
            return sum(int(row["people"]) for row in csv.DictReader(file))

    # ------------------------------------------------------------ what a stranger says

    def _verify_receipts(self, receipts: dict[str, Path]) -> None:
        self._do("publish", self._publish)
        self.story.observed["receipts"] = sum(
            self._is_believed(path, number) for number, path in receipts.items()
        )
        self.story.observed["false-receipts-believed"] = sum(
            self._is_believed(path, number) for number, path in self._false(receipts)
        )

    def _publish(self) -> None:
        self._stage.open().publication.publish()

    def _false(self, receipts: dict[str, Path]) -> list[tuple[str, Path]]:
        """Receipts that must not be believed: shown by another person, and altered."""
        numbers = list(receipts)
        others = [
            (numbers[place - 1], path)
            for place, path in enumerate(receipts.values())
            if len(numbers) > 1
        ]
        altered = []
        for number, path in receipts.items():
            forged = path.with_name(f"forged-{path.name}")
            document = path.read_bytes()
            place = document.index(b'"payload":"') + 60
            other = b"A" if document[place : place + 1] != b"A" else b"B"
            forged.write_bytes(document[:place] + other + document[place + 1 :])
            altered.append((number, forged))
        return [*others, *altered]

    def _is_believed(self, receipt: Path, number: str) -> bool:
        """Ask the verifier, a process that has nothing of ours but its one file."""
        trust = self._stage.parties / "authority-1" / "trust.json"
        words = [sys.executable, "-I", str(verifier_path()), str(self._stage.hub / "site")]
        words += ["--trust", str(trust), "--receipt", str(receipt), "--person", number]
        done = subprocess.run(words, capture_output=True, check=False, timeout=120)
        return done.returncode == 0


def chosen_people(stage: Stage, *, seed: str, people: int) -> list[Somebody]:
    """Draw people of whom the holder's file tells something that it tells of nobody else.

    Each has one row, and no number of theirs stands in another row.

    Raises:
        Unavailable: the made-up people are too much alike.
    """
    path = stage.deliveries / _DELIVERIES[0] / "IR_BEN_R.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file, delimiter=";") if all(row.get(n) for n in _NUMBERS)
        ]
    told = Counter(told_of(row) for row in rows)
    numbers = Counter(number for row in rows for number in {row[name] for name in _NUMBERS})
    alone = [
        Somebody(row["BEN_NIR_PSA"], told_of(row))
        for row in rows
        if told[told_of(row)] == 1 and all(numbers[row[name]] == 1 for name in _NUMBERS)
    ]
    alone.sort(key=lambda each: hashlib.sha256((seed + each.number).encode()).digest())
    if len(alone) < people:
        raise Unavailable(
            "The made-up people are too much alike for this drill: take another seed."
        )
    return alone[:people]


def told_of(row: dict[str, Any]) -> tuple[str, ...]:
    """What a row tells of somebody, spelled alike in a delivered file and in an extract."""
    return tuple(str(row.get(name) or "").strip().lstrip("0") for name in TOLD)


def newest_rows(stage: Stage) -> Rows:
    """Open the project's newest extract with the keys that its own run would get.

    Raises:
        NotFound: there is none.
    """
    opened = stage.open()
    project = PartitionCatalogue(opened.records, log=opened.log).find(
        Partition(PartitionKind.PROJECT, PERMIT)
    )
    standing = opened.permits.standing(PERMIT)
    made = events_of((logged.event for logged in opened.log.entries()), ExtractMade)
    if not made:
        raise NotFound("There is no extract.")
    wanted = KeysWanted(
        purpose="run",
        partitions=[project],
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )
    place, tables = ReadPlace(project.partition, project.partition_id), Rows()
    with opened.release.open(wanted) as keys:
        reader = opened.reader(keys)
        locations = manifest_locations(opened.records.list_documents(MANIFEST_DOCUMENT))
        digest = made[-1].manifest_sha256
        manifest = reader.read_manifest(locations[digest], place=place, sha256=digest)
        for entry in manifest.entries:
            with reader.read_table(ListedFile(place, entry)) as rows:
                tables.setdefault(entry.table, []).extend(pa.table(rows).to_pylist())
    return tables


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{name}={row[name]}" for name in sorted(row))
