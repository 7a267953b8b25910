"""The fork drill: a false operator shows old and forked logs; nobody believes them, and they are kept.

Held on a small hub of its own, because to fork a log one must sign with its key,
and a contradiction under a real log's key would stay one for ever.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from havre.adapters.log.files import LogFolder
from havre.adapters.machine.apart import Apart, apart_in
from havre.bootstrap.drills.asked_party import Answer, Asked
from havre.bootstrap.drills.false_operator import (
    DISHONEST,
    FORKED,
    HONEST,
    LONGER,
    Lies,
)
from havre.bootstrap.drills.stage import Stage, rehearsal_hub
from havre.bootstrap.parties import directories
from havre.domain.drill_receipt import DrillRun
from havre.domain.events import KeysReleased
from havre.domain.following import Followed, follow_entries
from havre.domain.rehearsals import DrillName
from havre.domain.transparency import check_log_signature, log_keys
from havre.errors import HavreError, Unavailable
from havre.formats.canonical import Json
from havre.formats.notes import parse_note

_TREE = "cepidc-2023"
_AT_ONCE = 3
_TIMEOUT_S = 60
# One who kept a head from before, and one who comes for the first time.
_STRANGER, _NEWCOMER = "stranger", "newcomer"


@dataclass(frozen=True, slots=True)
class _Party:
    """One who is asked; `seen` is a head that it kept, as a file, or empty."""

    name: str
    role: str
    folder: Path
    user: int
    seen: str = ""

    @property
    def trees(self) -> tuple[str, ...]:
        """What it is shown, the honest tree last: what came before must not have shaken it.

        A newcomer cannot tell an old log from a new one but by its age, which is minutes here.
        """
        shown = DISHONEST if self.name != _NEWCOMER else (FORKED, LONGER)
        return (*shown, HONEST)

    @property
    def evidence(self) -> list[Path]:
        """Heads that it refused and kept; a stranger has what it fetched."""
        if self.role == _STRANGER:
            return sorted(self.folder.glob("fetched/*/log/checkpoint"))
        place = "seen" if self.role == "witness" else "mirror"
        return sorted(self.folder.glob(f"{place}/refused/*.note"))


@dataclass(slots=True)
class _Heard:
    """What every party answered."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)

    def of(self, *trees: str) -> list[Answer]:
        """List the answers about these trees."""
        return [each for said in self.answers.values() for each in said if each.tree in trees]


def fork(seed: str, *, spoil: Callable[[Stage], None] = lambda _stage: None) -> DrillRun:
    """Hold the drill.

    seed: 32 hexadecimal characters.
    spoil: what a test breaks on the stage before the false operator begins.
    """
    began = time.monotonic()
    with rehearsal_hub("fork", seed=seed) as stage:
        apart = apart_in(stage.root)
        prepared = _prepare(stage)
        spoil(stage)
        made_ms = round((time.monotonic() - began) * 1000)
        heard = _ask_everybody(stage, prepared, apart)
    dishonest, honest = heard.of(*DISHONEST), heard.of(HONEST)
    slowest_ms = max((each.took_ms for each in dishonest), default=0)
    return DrillRun(
        drill=DrillName.FORK,
        observed={
            "asks": len(dishonest),
            "asks-believed": sum(each.believed for each in dishonest),
            "honest-refused": sum(not each.believed for each in honest),
            "detection": -(-slowest_ms // 1000),
            "without-evidence": sum(not kept for kept in heard.evidence.values()),
        },
        counters={"parties": len(heard.answers), "slowest_ms": slowest_ms},
        seed=seed,
        timings_ms={"stage": made_ms, "all": round((time.monotonic() - began) * 1000)},
        not_separated=(
            *apart.lacking,
            "all parties stood on one machine",
        ),
        details={"answers": _told(heard), "evidence": {**_spelled(heard.evidence)}},
    )


@dataclass(frozen=True, slots=True)
class _Prepared:
    earlier: Path
    request: int
    parties: list[_Party]


def _prepare(stage: Stage) -> _Prepared:
    """Let the hub work a while, and keep a copy of its site from before."""
    earlier = stage.root / "earlier"
    stage.deliver(_TREE)
    stage.open()
    shutil.copytree(stage.hub / "site", earlier)
    stage.take_in()
    opened = stage.open()
    released = [
        each.event for each in opened.log.entries() if isinstance(each.event, KeysReleased)
    ][-1]
    honest = directories(opened.place.witnesses)[: -opened.roots.faulty_witnesses]
    custodians = [
        each for each in directories(opened.place.custodians) if each.name in released.receipts
    ]
    listed = [("witness", each) for each in honest]
    listed += [("custodian", each) for each in custodians]
    listed += [(_STRANGER, _make_stranger(stage, name)) for name in (_STRANGER, _NEWCOMER)]
    parties = [
        _Party(
            folder.name,
            role,
            folder,
            number,
            str(folder / "seen") if folder.name == _STRANGER else "",
        )
        for number, (role, folder) in enumerate(listed, start=1)
    ]
    return _Prepared(earlier, released.request, parties)


def _make_stranger(stage: Stage, name: str) -> Path:
    """Somebody who has trust roots from elsewhere, and the head of today."""
    folder = stage.root / name
    folder.mkdir()
    shutil.copy(stage.parties / "researcher" / "trust.json", folder)
    shutil.copy(stage.hub / "site" / "log" / "checkpoint", folder / "seen")
    return folder


def _ask_everybody(stage: Stage, prepared: _Prepared, apart: Apart) -> _Heard:
    place = stage.open().place
    liars = directories(place.witnesses)[-stage.open().roots.faulty_witnesses :]
    served = stage.root / "served"
    served.mkdir(mode=0o755)
    for party in prepared.parties:
        apart.give(party.folder, user=party.user)
    for folder in (stage.hub, served, prepared.earlier, *liars):
        apart.give(folder, user=0)
    lies = Lies(
        party=str(place.party),
        site=str(place.site),
        earlier=str(prepared.earlier),
        liars=[str(each) for each in liars],
        served=str(served),
        user=0 if apart.users else None,
    )
    with _operator(lies) as port:
        heard = _Heard()
        ask = _Asker(prepared, port, apart)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for party, answers in zip(
                prepared.parties, pool.map(ask, prepared.parties), strict=True
            ):
                heard.answers[party.name] = answers
    proofs = _Contradictions(stage)
    heard.evidence = {each.name: proofs.among(each.evidence) for each in prepared.parties}
    return heard


@dataclass(frozen=True, slots=True)
class _Asker:
    """Starts one party's process, and reads what it answered."""

    prepared: _Prepared
    port: int
    apart: Apart

    def __call__(self, party: _Party) -> list[Answer]:
        url = f"http://127.0.0.1:{self.port}"
        asked = Asked(
            role=party.role,
            folder=str(party.folder),
            trees={tree: f"{url}/{tree}" for tree in party.trees},
            request=self.prepared.request,
            seen=party.seen,
            user=party.user if self.apart.users else None,
        )
        words = _module("asked_party", json.dumps(asdict(asked)))
        done = subprocess.run(
            words, capture_output=True, timeout=_TIMEOUT_S, check=False, cwd="/", env={}
        )
        try:
            return [Answer(**each) for each in json.loads(done.stdout)]
        except (TypeError, ValueError):
            raise Unavailable(f"The process of {party.name} ended without an answer.") from None


@contextmanager
def _operator(lies: Lies) -> Iterator[int]:
    """Start the false operator; returns the port that it serves on."""
    with subprocess.Popen(
        _module("false_operator", json.dumps(asdict(lies))),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
    ) as child:
        try:
            line = child.stdout.readline() if child.stdout else b""
            if not line:
                raise Unavailable("The false operator's process ended before it served anything.")
            yield int(json.loads(line)["port"])
        finally:
            if child.stdin:
                child.stdin.close()
            child.wait(timeout=_TIMEOUT_S)


class _Contradictions:
    """Tells which kept heads prove that the log's key signed two histories."""

    def __init__(self, stage: Stage) -> None:
        log = LogFolder(stage.hub / "site" / "log")
        self._roots = stage.token("researcher").trust_roots()
        self._keys = log_keys(self._roots, ())
        checkpoint = check_log_signature(
            parse_note(log.checkpoint()), roots=self._roots, keys=self._keys
        )
        self._entries = log.entries(0, checkpoint.size)

    def among(self, notes: Sequence[Path]) -> list[str]:
        """The SHA-256 of each head under the log's key that this log does not lead to."""
        return [
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in notes
            if self._contradicts(path.read_bytes())
        ]

    def _contradicts(self, note: bytes) -> bool:
        try:
            shown = check_log_signature(parse_note(note), roots=self._roots, keys=self._keys)
        except HavreError:
            return False
        # A longer head alone is no contradiction: the log may have gone on.
        if shown.size > len(self._entries):
            return False
        followed, _ = follow_entries(Followed(), self._entries[: shown.size])
        return followed.head.root != shown.root


def _module(name: str, *words: str) -> list[str]:
    return [sys.executable, "-I", "-m", f"havre.bootstrap.drills.{name}", *words]


def _told(heard: _Heard) -> list[Json]:
    return [
        {
            "believed": each.believed,
            "party": party,
            "said": each.said,
            "took_ms": each.took_ms,
            "tree": each.tree,
        }
        for party, answers in heard.answers.items()
        for each in answers
    ]


def _spelled(evidence: dict[str, list[str]]) -> dict[str, Json]:
    return {party: [*kept] for party, kept in evidence.items()}
