"""Verify a hub's public record offline: one file, which imports nothing of Havre.

    python verify_log.py DIR [--trust FILE] [--max-age SECONDS] [--seen FILE] [--json]

DIR is a published site: `log/` in the C2SP tlog-tiles layout, and, where they
are there, `register/permits/`, `register/erasures/`, `register/deletions/`,
`releases/` and `drills/`. Every entry and every tile is
hashed anew, the head is compared with its signatures, and the acts are checked
for making sense one after the other.

What this cannot know by itself comes from you, and from elsewhere than DIR:
`--trust`, who may sign; `--max-age` or `--seen`, that this is not an old copy.
Without them it says that authenticity and freshness were not checked. With
`--receipt` it says whether somebody's opposition was in the list of an extract.

It needs Python 3.11 and the package `cryptography`, nothing else. Exit codes:
0 what was checked is genuine, 4 something is not, 5 it is genuine and older than
--max-age allows, 2 the command or a file of yours was wrong.

Sources: RFC 9162 section 2.1; C2SP tlog-tiles, tlog-checkpoint, signed-note and
tlog-cosignature; RFC 8785; DSSE v1; `docs/protocols.md`.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import calendar
import hashlib
import hmac
import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
MAX_NOTE_BYTES = 64 * 1024
MAX_BUNDLE_BYTES = WIDTH * (2 + 0xFFFF)
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
MAX_RELEASE_BYTES = 4 * 1024 * 1024 * 1024
# A witness whose clock is further ahead than this says nothing about age.
MAX_AHEAD_S = 120
# Counts about people stand on the log rounded; a finer one would say too much.
COUNT_ROUNDING = 100
# How long before its time a register's version may come: clocks differ.
EARLY_S = 3600

EXIT_WRONG_COMMAND, EXIT_NOT_GENUINE, EXIT_TOO_OLD = 2, 4, 5

_LINE = re.compile(r"— (?P<name>[^ +]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")
_TILE = re.compile(
    r"tile/(?P<level>entries|0|[1-9]\d?)/(?P<path>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?"
)


class Fault(Exception):
    """Something is not what it claims; one sentence that names the place."""


class TooOld(Fault):
    """All of it holds, and it is an older copy than the reader accepts."""


class WrongFile(Exception):
    """A file that the reader brought cannot be used; the site is not to blame."""


# ---------------------------------------------------------------- reading files


def _read(path: Path, *, limit_bytes: int, what: str) -> bytes:
    """Read a plain file of bounded size; a link is not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise Fault(f"{what} is missing or cannot be read.") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Fault(f"{what} is not a plain file.")
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise Fault(f"{what} is longer than {limit_bytes} bytes.")
    return content


def _sha256_of(path: Path, *, what: str) -> str:
    digest, size = hashlib.sha256(), 0
    if path.is_symlink() or not path.is_file():
        raise Fault(f"{what} is not a plain file.")
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
            if size > MAX_RELEASE_BYTES:
                raise Fault(f"{what} is longer than {MAX_RELEASE_BYTES} bytes.")
    return digest.hexdigest()


def _refuse_fraction(_text: str) -> None:
    raise ValueError


def _canonical(value: Any) -> bytes:
    """Write JSON as RFC 8785 does, for values without fractions."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        # RFC 8785 orders by UTF-16 code units, which is not Python's order.
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [_ordered(inner) for inner in value]
    if isinstance(value, int) and abs(value) > 2**53 - 1:
        raise ValueError
    return value


def _parse(document: bytes, *, what: str) -> dict[str, Any]:
    """Read a JSON object and refuse every spelling but the canonical one."""
    try:
        value = json.loads(document, parse_float=_refuse_fraction, parse_constant=_refuse_fraction)
        same = _canonical(value) == document
    except (ValueError, RecursionError):
        raise Fault(f"{what} is not canonical JSON.") from None
    if not same or not isinstance(value, dict):
        raise Fault(f"{what} is not canonical JSON.")
    return value


def _decode(text: str, *, what: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(f"{what} is not base64.") from None
    if base64.b64encode(content).decode() != text:
        raise Fault(f"{what} is spelled in another base64 than the one.")
    return content


def _signed_by(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ---------------------------------------------------------------- heads and trust


@dataclass(frozen=True)
class Head:
    """A checkpoint: what it says, the bytes that are signed, the lines under it."""

    origin: str
    size: int
    root: bytes
    text: str
    lines: tuple[tuple[str, bytes], ...]

    def blobs(self, name: str, key: bytes, *, kind: bytes) -> list[bytes]:
        """List the signatures that claim to be by this name and key."""
        short = hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:4]
        return [blob[4:] for who, blob in self.lines if who == name and blob[:4] == short]


def _parse_head(note: bytes, *, what: str) -> Head:
    """Read a checkpoint strictly: three lines, an empty one, signature lines."""
    try:
        text, _, tail = note.decode().rpartition("\n\n")
        origin, size_text, root_text = text.split("\n")
        rows = [_LINE.fullmatch(row) for row in tail.removesuffix("\n").split("\n")]
        lines = tuple((row["name"], base64.b64decode(row["blob"], validate=True)) for row in rows)  # type: ignore[index]
        size, root = int(size_text), base64.b64decode(root_text, validate=True)
    except (ValueError, TypeError):
        raise Fault(f"{what} is not spelled as a checkpoint.") from None
    again = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n\n" + "".join(
        f"— {name} {base64.b64encode(blob).decode()}\n" for name, blob in lines
    )
    if again.encode() != note or len(root) != 32 or not origin or size < 0:
        raise Fault(f"{what} is not spelled as a checkpoint.")
    return Head(origin, size, root, text + "\n", lines)


@dataclass(frozen=True)
class Party:
    """Somebody who may sign, as the trust-root file names them."""

    name: str
    role: str
    operator: str
    key: bytes


@dataclass(frozen=True)
class Trust:
    """Who may sign: the trust-root file, which you have from elsewhere.

    parties: by key id, the SHA-256 of the key, which names a party on the log.
    """

    sha256: str
    origin: str
    quorum: int
    threshold: int
    hub: bytes
    controller: bytes
    witnesses: dict[str, bytes]
    parties: dict[str, Party]


def _read_trust(path: Path) -> Trust:
    """Read the reader's own trust roots; what is wrong with them is no fault of the site.

    Raises:
        WrongFile: it cannot be read, or names too weak a choice of witnesses.
    """
    try:
        document = path.read_bytes()
        if len(document) > MAX_DOCUMENT_BYTES:
            raise WrongFile("The trust-root file is too long.")
        return _parse_trust(document)
    except (OSError, Fault) as fault:
        raise WrongFile(str(fault) or "The trust-root file cannot be read.") from None


def _parse_trust(document: bytes) -> Trust:
    """Read a file of the form havre/v1/trust, and refuse too weak a choice of witnesses."""
    what = "The trust-root file"
    body = _parse(document, what=what)
    try:
        if body["format"] != "havre/v1/trust":
            raise ValueError
        listed = [
            Party(str(each["name"]), str(each["role"]), str(each["operator"]), _key(each["key"]))
            for each in body["parties"]
        ]
        (hub,) = (party.key for party in listed if party.role == "hub")
        (controller,) = (party.key for party in listed if party.role == "controller")
        witnesses = [party for party in listed if party.role == "witness"]
        faulty = int(body["faulty_witnesses"])
        threshold = int(body["custodian_threshold"])
        origin = str(body["origin"])
    except (KeyError, TypeError, ValueError):
        raise Fault(f"{what} is not of the form havre/v1/trust.") from None
    sha256 = hashlib.sha256(document).hexdigest()
    parties = _distinct(listed, faulty=faulty, what=what)
    keys = {party.name: party.key for party in witnesses}
    return Trust(sha256, origin, len(keys) - faulty, threshold, hub, controller, keys, parties)


def _distinct(listed: list[Party], *, faulty: int, what: str) -> dict[str, Party]:
    """Name parties by key id; witnesses must be enough, and each of another operator."""
    parties = {hashlib.sha256(party.key).hexdigest(): party for party in listed}
    if not len(parties) == len(listed) == len({party.name for party in listed}):
        raise Fault(f"{what} names two parties with one key or one name.")
    witnesses = [party.operator for party in listed if party.role == "witness"]
    if faulty < 1 or not len(witnesses) == len(set(witnesses)) >= 3 * faulty + 1:
        raise Fault(f"{what} names too few independent witnesses for {faulty} that may lie.")
    return parties


def _key(text: Any) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError
    return key


def _check_signature(head: Head, *, trust: Trust, keys: list[tuple[int, bytes]], what: str) -> None:
    """Make sure that the log signed a head with the key that held at its size."""
    if head.origin != trust.origin:
        raise Fault(f"{what} is of another log than the trust roots name.")
    key = [key for first, key in keys if first <= head.size][-1]
    blobs = head.blobs(trust.origin, key, kind=b"\x01")
    if not any(_signed_by(key, blob, head.text.encode()) for blob in blobs):
        raise Fault(f"{what} is not signed by the log's key.")


def _cosigned_at(head: Head, *, trust: Trust) -> list[int]:
    """List when each known witness cosigned the head, seconds since 1970."""
    times: dict[str, int] = {}
    for name, key in trust.witnesses.items():
        for blob in head.blobs(name, key, kind=b"\x04"):
            at = int.from_bytes(blob[:8], "big")
            message = f"cosignature/v1\ntime {at}\n{head.text}".encode()
            if len(blob) != 72 or not _signed_by(key, blob[8:], message):
                raise Fault(f"A cosignature of witness {name} does not verify.")
            times[name] = max(at, times.get(name, 0))
    if len(times) < trust.quorum:
        raise Fault(f"{len(times)} witnesses cosigned the head; {trust.quorum} are needed.")
    return sorted(times.values(), reverse=True)


def _check_age(times: list[int], *, trust: Trust, max_age_s: int, now: int) -> int:
    """Refuse a head whose q-th newest cosignature is too old; return that age."""
    counted = [at for at in times if at <= now + MAX_AHEAD_S]
    if len(counted) < trust.quorum:
        raise Fault("Too many cosignatures lie in the future of this machine's clock.")
    age_s = now - counted[trust.quorum - 1]
    if age_s > max_age_s:
        raise TooOld(f"The head was last cosigned {age_s} seconds ago; {max_age_s} are allowed.")
    return age_s


# ---------------------------------------------------------------- the tree


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass
class Tree:
    """A tree that grows by leaves and keeps one hash for each complete subtree.

    peaks: (height, hash) from the left, heights falling.
    """

    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Take one more leaf."""
        height, found = 0, leaf
        while self.peaks and self.peaks[-1][0] == height:
            found = _node(self.peaks.pop()[1], found)
            height += 1
        self.peaks.append((height, found))

    def root(self) -> bytes:
        """Compute the root over all leaves so far."""
        if not self.peaks:
            return hashlib.sha256().digest()
        root = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            root = _node(left, root)
        return root


@dataclass
class LogFolder:
    """The files of a log that were not read yet: full tiles, and the widths of partial ones."""

    folder: Path
    widths: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    full: set[tuple[str, int]] = field(default_factory=set)
    files: int = 0
    strange: list[str] = field(default_factory=list)
    ahead: int = 0

    def survey(self) -> None:
        """List what is there, once."""
        for here, _, names in os.walk(self.folder):
            for name in names:
                path = (Path(here) / name).relative_to(self.folder).as_posix()
                match = _TILE.fullmatch(path)
                if match is None:
                    if path != "checkpoint":
                        self.strange.append(path)
                    continue
                number = int(match["path"].replace("x", "").replace("/", ""))
                if _tile_path(number) != match["path"]:
                    self.strange.append(path)
                elif match["width"]:
                    place = (match["level"], number)
                    self.widths.setdefault(place, []).append(int(match["width"]))
                else:
                    self.full.add((match["level"], number))

    def tile(self, level: str, number: int, *, width: int) -> bytes:
        """Read one tile or bundle."""
        partial = "" if width == WIDTH else f".p/{width}"
        path = f"tile/{level}/{_tile_path(number)}{partial}"
        if width == WIDTH:
            self.full.discard((level, number))
        self.files += 1
        return _read(self.folder / path, limit_bytes=MAX_BUNDLE_BYTES, what=f"log/{path}")

    def check_partials(self, level: str, number: int, *, pieces: list[bytes]) -> None:
        """Make sure that every earlier, narrower file says the beginning of the widest one."""
        for width in self.widths.pop((level, number), []):
            if width >= WIDTH:
                raise Fault(f"A partial tile of level {level} is as wide as a full one.")
            expected, found = b"".join(pieces[:width]), self.tile(level, number, width=width)
            if width > len(pieces):
                # A hub that was stopped before it published leaves such files:
                # what the checkpoint covers must stand there all the same.
                self.ahead += 1
                found = found[: len(expected)]
            if found != expected:
                raise Fault(f"Tile {number} of level {level}, width {width}, was altered.")

    def check_rest(self) -> None:
        """Count the files that belong to entries past the checkpoint."""
        self.ahead += sum(map(len, self.widths.values())) + len(self.full)


def _tile_path(number: int) -> str:
    """Spell a tile's number in groups of three digits: 1234 is x001/234."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def _bundle(log: LogFolder, number: int, *, size: int) -> list[bytes]:
    """Read the entries of one bundle, and compare its earlier, narrower files."""
    width = min(WIDTH, size - number * WIDTH)
    content = log.tile("entries", number, width=width)
    entries, pieces, at = [], [], 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if at + 2 > len(content) or end > len(content):
            raise Fault(f"Entry bundle {number} is shorter than its lengths say.")
        entries.append(content[at + 2 : end])
        pieces.append(content[at:end])
        at = end
    if at != len(content):
        raise Fault(f"Entry bundle {number} has bytes after its last entry.")
    log.check_partials("entries", number, pieces=pieces)
    return entries


def _check_tiles(log: LogFolder, leaves: list[bytes]) -> None:
    """Compute every hash tile anew and compare it with the file, level by level."""
    level, hashes = 0, leaves
    while hashes:
        above = []
        for number in range(-(-len(hashes) // WIDTH)):
            row = hashes[number * WIDTH : (number + 1) * WIDTH]
            if log.tile(str(level), number, width=len(row)) != b"".join(row):
                raise Fault(f"Hash tile {number} of level {level} was altered.")
            log.check_partials(str(level), number, pieces=row)
            if len(row) == WIDTH:
                tree = Tree()
                for each in row:
                    tree.add(each)
                above.append(tree.root())
        level, hashes = level + 1, above
    log.check_rest()


# ---------------------------------------------------------------- the acts


Event = dict[str, Any]


@dataclass
class _Request:
    """A request to let outputs out, as the entries so far have moved it."""

    state: str = "pending"
    job: str = ""
    turn: int = 0
    votes: dict[str, str] = field(default_factory=dict)
    decision: str = ""
    reviewed_at: int = 0


@dataclass
class _Shares:
    """A partition's shares: since which entry, by custodian, how many open it, those before.

    threshold: null for as many as the trust roots say now.
    former: order to the holders and threshold that it replaced.
    """

    since: int
    holders: dict[str, str]
    threshold: int | None = None
    former: dict[int, tuple[dict[str, str], int]] = field(default_factory=dict)

    def commitment_of(self, name: str, retired: dict[int, Event]) -> str:
        """Find a custodian's share, the one that counts or one that is left."""
        left = [holders for order, (holders, _) in self.former.items() if order not in retired]
        return next((each[name] for each in (self.holders, *left) if name in each), "")


@dataclass
class _Upkeep:
    """What was done under a permit for upkeep: its requests for keys, and whether it has its version."""

    purpose: str
    requests: list[int] = field(default_factory=list)
    has_version: bool = False


@dataclass
class Story:
    """What the entries so far have said, as far as later ones refer to it."""

    origin: str
    events: list[Event] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    newest_version: dict[str, int] = field(default_factory=dict)
    permits: dict[str, int] = field(default_factory=dict)
    permit_moves: dict[int, Event] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    lent: list[tuple[int, str, Event]] = field(default_factory=list)
    taken_in: set[str] = field(default_factory=set)
    jobs: dict[str, Event] = field(default_factory=dict)
    requests: dict[str, _Request] = field(default_factory=dict)
    releases: dict[str, Event] = field(default_factory=dict)
    handovers: list[tuple[int, Event]] = field(default_factory=list)
    shares: dict[str, _Shares] = field(default_factory=dict)
    resharings: dict[int, Event] = field(default_factory=dict)
    retired: dict[int, Event] = field(default_factory=dict)
    trust_sha256: list[str] = field(default_factory=list)
    to_erase: dict[str, int] = field(default_factory=dict)
    erasures: dict[int, Event] = field(default_factory=dict)
    erased: dict[int, Event] = field(default_factory=dict)
    drills: dict[int, Event] = field(default_factory=dict)
    roots: dict[int, bytes] = field(default_factory=dict)
    registers: dict[str, Event] = field(default_factory=dict)
    deleted: dict[str, Event] = field(default_factory=dict)
    notices: set[tuple[str, str, int, str]] = field(default_factory=set)
    despite: list[tuple[int, str]] = field(default_factory=list)
    upkeep: dict[str, _Upkeep] = field(default_factory=dict)
    purposes: dict[str, set[str]] = field(default_factory=dict)
    unknown: int = 0

    def earlier(self, index: Any, *kinds: str) -> Event:
        """Find the earlier entry that an entry refers to, which must be of one of these kinds."""
        if type(index) is not int or not 0 <= index < len(self.events):
            raise Fault("it refers to an entry that was not there yet")
        if self.events[index]["kind"] not in kinds:
            raise Fault(f"it refers to entry {index}, which is no {' or '.join(kinds)}")
        return self.events[index]

    def check_not_erased(self, partitions: list[str]) -> None:
        """Make sure that nobody had ordered one of these partitions erased."""
        for partition in partitions:
            if partition in self.to_erase:
                at = self.to_erase[partition]
                raise Fault(f"it opens keys that were ordered erased in entry {at}")

    def check_lent(self, permit: str, purpose: str, *, since: int = 0, plan: str = "") -> Event:
        """Find the last time that custodians had lent a permit's keys for what was then done."""
        for at, name, asked in reversed(self.lent):
            same = (name, asked["purpose"]) == (permit, purpose) and at >= since
            if same and plan in ("", asked["plan_commitment"]):
                return asked
        raise Fault(f"no keys of permit {permit} had been lent for it")


# Where a permit may go next; what ends it for good leads nowhere.
PERMIT_MOVES = {
    "": "submitted",
    "submitted": "assessment refused withdrawn",
    "assessment": "granted refused withdrawn",
    "granted": "granted suspended revoked expired",
    "suspended": "granted revoked expired",
    "refused": "",
    "withdrawn": "",
    "revoked": "",
    "expired": "",
}

# Where a request to release outputs may go next.
RELEASE_MOVES = {
    "pending": "submitted withdrawn",
    "submitted": "partially-reviewed returned",
    "partially-reviewed": "reviewed returned",
    "reviewed": "approved rejected returned",
    "returned": "submitted withdrawn",
    "approved": "released",
    "released": "",
    "rejected": "",
    "withdrawn": "",
}
VOTES_NEEDED = 2
DRILL_VERDICTS = ("held", "incomplete", "failed")

# What the hub does with its own data under a permit that is used once, and how often that opens keys.
UPKEEP = ("compact", "quarantine")
UPKEEP_OPENINGS = 3
UPKEEP_DAYS = 14

# Why keys are destroyed, and who at least must have signed it. Data that nothing gives
# back need an authority as well: what a partition is, the log does not say.
ERASURE_GROUNDS = {
    "decided": ("controller",),
    "permit-over": ("controller", "hub"),
    "superseded": ("controller", "hub"),
    "taken-in": ("controller", "hub"),
}


def _opened(story: Story, event: Event) -> None:
    story.trust_sha256.append(event["trust_sha256"])
    if story.events:
        raise Fault("the log was opened a second time")
    if event["origin"] != story.origin:
        raise Fault("it opens the log of another origin")


def _checked(story: Story, event: Event) -> None:
    if event["delivery"] in story.taken_in:
        raise Fault("its delivery was taken in before")
    story.taken_in.add(event["delivery"])


def _version(story: Story, event: Event) -> None:
    newest = story.newest_version.get(event["dataset"])
    if event["parent"] != newest:
        raise Fault("its parent is not the dataset's version before")
    if "permit" in event:
        upkeep = story.upkeep.get(event["permit"])
        if upkeep is None:
            raise Fault(f"no keys of permit {event['permit']} had been lent for it")
        story.check_lent(event["permit"], upkeep.purpose)
        if upkeep.has_version:
            raise Fault(f"permit {event['permit']} has made a version before")
        if upkeep.purpose == "compact" and event["rows"]:
            raise Fault("it files rows anew and says that it adds some")
        upkeep.has_version = True
    story.newest_version[event["dataset"]] = len(story.events)


def _permit(story: Story, event: Event) -> None:
    name = event["permit"]
    before = story.permits.get(name)
    if event["predecessor"] != before:
        raise Fault(f"it does not name the entry before it of permit {name}")
    state = "" if before is None else story.events[before]["state"]
    if event["state"] not in PERMIT_MOVES[state].split():
        raise Fault(f"permit {name} cannot become {event['state']} from there")
    if event["state"] == "expired":
        _expired(story, event)
    story.permits[name] = len(story.events)
    story.permit_moves[len(story.events)] = event


def _expired(story: Story, event: Event) -> None:
    """Nobody signs what the calendar says: the entry names the text that was granted last."""
    texts = [
        moved["statement_sha256"]
        for moved in story.permit_moves.values()
        if (moved["permit"], moved["state"]) == (event["permit"], "granted")
    ]
    if event["statement_sha256"] != texts[-1] or event["signers"]:
        raise Fault("it does not name the text whose last day is over, or somebody signed it")


def _in_force(story: Story, name: str) -> None:
    index = story.permits.get(name)
    if index is None or story.events[index]["state"] != "granted":
        raise Fault(f"permit {name} was not granted at that moment")


def _requested(story: Story, event: Event) -> None:
    story.check_not_erased(event["partitions"])
    if event.get("order") is not None:
        _requested_for_others(story, event)
        return
    if event["permit"] is not None:
        moved = story.earlier(event["permit"], "PermitMoved")
        if event["purpose"] not in ("extract", "run", *UPKEEP) or event["deliveries"]:
            raise Fault(
                "a permit opens keys for an extract or a run, or for upkeep, and for nothing else"
            )
        _used(story, event, moved["permit"])
        return
    # Without a permit there is the mandate: deliveries, each taken in once.
    if event["purpose"] != "ingest" or not event["deliveries"]:
        raise Fault("it rests on no permit and on no delivery")
    for index in event["deliveries"]:
        if story.earlier(index, "DeliveryReceived")["delivery"] in story.taken_in:
            raise Fault("a delivery that it opens was taken in before")


def _used(story: Story, event: Event, permit: str) -> None:
    """A permit for upkeep is for one thing, and opens keys only so often."""
    asked = story.purposes.setdefault(permit, set())
    asked.add(event["purpose"])
    if not asked & set(UPKEEP):
        return
    if len(asked) > 1:
        raise Fault("a permit for upkeep opens keys for that and for nothing else")
    upkeep = story.upkeep.setdefault(permit, _Upkeep(event["purpose"]))
    if upkeep.has_version:
        raise Fault(f"permit {permit} is used: a version was made under it")
    if any(index not in story.closed for index in upkeep.requests):
        raise Fault(f"permit {permit} is being opened already")
    if len(upkeep.requests) >= UPKEEP_OPENINGS:
        raise Fault(f"permit {permit} was opened {UPKEEP_OPENINGS} times before")
    upkeep.requests.append(len(story.events))


def _requested_for_others(story: Story, event: Event) -> None:
    """A ceremony takes the shares of what it is about, once."""
    order = story.earlier(event["order"], "ResharingOrdered")
    if event["permit"] is not None or event["deliveries"] or event["purpose"] != "reshare":
        raise Fault("a ceremony opens keys for new shares, and for nothing else")
    for partition in event["partitions"]:
        if story.shares[partition].since >= order["log_size"]:
            raise Fault("the ceremony is not, or no longer, about one of its partitions")


def _closed(story: Story, event: Event) -> None:
    request = story.earlier(event["request"], "KeysRequested")
    if event["request"] in story.closed:
        raise Fault("its request was closed before")
    story.closed.add(event["request"])
    if event["kind"] == "KeysReleased":
        story.check_not_erased(request["partitions"])
    if event["kind"] == "KeysReleased" and request["permit"] is not None:
        name = story.events[request["permit"]]["permit"]
        if request["permit"] != story.permits[name]:
            raise Fault("its request does not rest on the permit's last entry")
        _in_force(story, name)
        story.lent.append((len(story.events), name, request))


def _oppositions(story: Story, event: Event) -> None:
    """A register's version is a whole list, comes by its rhythm, and from one holder's delivery."""
    received = [
        each
        for each in story.events
        if each["kind"] == "DeliveryReceived" and each["delivery"] == event["delivery"]
    ]
    if not received or received[0]["holder"] != event["holder"]:
        raise Fault("its holder delivered no such list")
    if event["delivery"] not in story.taken_in:
        raise Fault("its list was not opened before")
    before = story.registers.get(event["register"])
    if before is not None:
        _follows(before, event)
    if not event["people"]:
        raise Fault("a list is never empty: it is filled up")
    story.registers[event["register"]] = event


def _follows(before: Event, event: Event) -> None:
    if event["version"] <= before["version"]:
        raise Fault("its version is not newer than the one before")
    due_s = _seconds(before["at"]) + before["every_hours"] * 3600
    if _seconds(event["at"]) < due_s - EARLY_S:
        raise Fault("it comes before its day: a version could then come because of one person")


def _seconds(text: str) -> float:
    if not text.endswith("Z"):
        raise ValueError
    return datetime.fromisoformat(text).timestamp()


def _left_out(story: Story, event: Event, asked: Event) -> None:
    """An extract leaves out everybody in the newest version of every register, and no other."""
    newest = {name: each["root"] for name, each in story.registers.items()}
    used = event.get("oppositions")
    if used == {} and newest:
        # Whether the permit says why is seen where its text is.
        story.despite.append((len(story.events), event["permit"]))
        return
    if used != (newest or None):
        raise Fault("it does not leave out the newest version of every register of oppositions")
    if not {each["partition"] for each in story.registers.values()} <= set(asked["partitions"]):
        raise Fault("no keys of the registers of oppositions had been lent for it")


def _extract(story: Story, event: Event) -> None:
    asked = story.check_lent(event["permit"], "extract", plan=event["plan_commitment"])
    _left_out(story, event, asked)
    for dataset, index in event["versions"].items():
        if story.earlier(index, "VersionPublished")["dataset"] != dataset:
            raise Fault("it was cut from another dataset than it says")


def _job(story: Story, event: Event) -> None:
    if story.earlier(event["extract"], "ExtractMade")["permit"] != event["permit"]:
        raise Fault("it ran on another permit's extract")
    if event["job"] in story.jobs:
        raise Fault("a job of this name ran before")
    story.check_lent(event["permit"], "run", since=event["extract"])
    story.jobs[event["job"]] = event


def _moved(story: Story, event: Event) -> None:
    request = story.requests.setdefault(event["request"], _Request())
    state = event["state"]
    if state not in RELEASE_MOVES[request.state].split():
        raise Fault(f"a request cannot become {state} from {request.state}")
    if event["job"] not in story.jobs:
        raise Fault("its job never ran")
    if state == "submitted":
        request = _Request(job=event["job"], turn=request.turn + 1)
        story.requests[event["request"]] = request
    if event["job"] != request.job:
        raise Fault("it is about another job than was submitted")
    if request.state == "reviewed" and state != request.decision:
        raise Fault("the votes did not lead there")
    if state == "released" and event["request"] not in story.releases:
        raise Fault("its files are not on the log")
    request.state = state


def _vote(story: Story, event: Event) -> None:
    request = story.requests.get(event["request"], _Request())
    if request.state not in ("submitted", "partially-reviewed"):
        raise Fault("there was nothing to vote on")
    if event["checker"] in request.votes:
        raise Fault("one checker voted twice")
    request.votes[event["checker"]] = event["vote_commitment"]


def _reviewed(story: Story, event: Event) -> None:
    request = story.requests.get(event["request"], _Request())
    if request.state != "reviewed" or event["turn"] != request.turn or request.decision:
        raise Fault("its votes were not all cast in this turn, or were opened before")
    if set(event["votes"]) != set(request.votes) or set(event["salts"]) != set(request.votes):
        raise Fault("the votes opened are not the votes cast")
    for checker, vote in event["votes"].items():
        said = {
            "checker": checker,
            "request": event["request"],
            "turn": event["turn"],
            "vote": vote,
        }
        salt = bytes.fromhex(event["salts"][checker])
        message = b"havre/v1/vote\n" + _canonical(said)
        if hmac.new(salt, message, hashlib.sha256).hexdigest() != request.votes[checker]:
            raise Fault("a vote that was opened is not the one that was cast")
    votes = list(event["votes"].values())
    agreed = len(votes) >= VOTES_NEEDED and set(votes) == {"approve"}
    if (event["decision"] == "approved") != agreed:
        raise Fault("its decision is not what the votes say")
    request.decision, request.reviewed_at = event["decision"], len(story.events)


def _released(story: Story, event: Event) -> None:
    request = story.requests.get(event["request"], _Request())
    if request.state != "approved" or event["request"] in story.releases:
        raise Fault("two checkers had not approved it, or it was released before")
    if event["job"] != request.job:
        raise Fault("another job was approved")
    job = story.jobs[request.job]
    if job["permit"] != event["permit"] or job["outcome"] != "finished":
        raise Fault("its job ran under another permit, or did not finish")
    # Approved files lie sealed to the project: custodians had a last say.
    story.check_lent(event["permit"], "run", since=request.reviewed_at)
    story.releases[event["request"]] = event


def _made(story: Story, event: Event) -> None:
    for partition, shares in event["shares"].items():
        story.shares.setdefault(partition, _Shares(len(story.events), shares))


def _reshare_ordered(story: Story, event: Event) -> None:
    if event["previous_sha256"] != story.trust_sha256[-1]:
        raise Fault("it does not follow on the trust roots before it")
    if any(event["order"] == before["order"] for before in story.resharings.values()):
        raise Fault("an order of this name stands before it")
    holders = event["holders"]
    if holders != sorted(set(holders)) or not 2 <= event["threshold"] <= len(holders):
        raise Fault("its holders and their threshold make no sense")
    if event["log_size"] > len(story.events):
        raise Fault("it is about a longer log")
    story.trust_sha256.append(event["trust_sha256"])
    story.resharings[len(story.events)] = event
    for shares in story.shares.values():
        shares.threshold = shares.threshold or event["threshold_before"]


def _reshared(story: Story, event: Event) -> None:
    order = story.earlier(event["order"], "ResharingOrdered")
    gave = _gave(story, event["order"])
    story.check_not_erased(list(event["shares"]))
    for partition, holders in event["shares"].items():
        known = story.shares.get(partition)
        if known is None or known.since >= order["log_size"]:
            raise Fault("a partition gets new shares that its order is not about")
        needed = max(2, known.threshold or 0)
        if len(gave.get(partition, set()) & set(known.holders)) < needed:
            raise Fault("a partition gets new shares that no ceremony opened for it")
        if sorted(holders) != order["holders"]:
            raise Fault("others get shares than its order says")
        former = {**known.former, event["order"]: (known.holders, known.threshold or 0)}
        story.shares[partition] = _Shares(len(story.events), holders, order["threshold"], former)


def _gave(story: Story, order: int) -> dict[str, set[str]]:
    """Tell who gave the old shares for a ceremony, by partition; an abandoned request gave none."""
    gave: dict[str, set[str]] = {}
    for event in story.events:
        if event["kind"] == "KeysReleased":
            asked = story.events[event["request"]]
            for partition in asked["partitions"] if asked.get("order") == order else ():
                gave.setdefault(partition, set()).update(event["receipts"])
    return gave


def _old_erased(story: Story, event: Event) -> None:
    story.earlier(event["order"], "ResharingOrdered")
    if event["order"] in story.retired or not event["certificates"]:
        raise Fault("nobody attests it, or its order came to an end before")
    replaced = [
        shares.former[event["order"]]
        for name, shares in story.shares.items()
        if event["order"] in shares.former and name not in story.to_erase
    ]
    for holders, threshold in replaced:
        needed = len(holders) - threshold + 1
        if len(set(holders) & set(event["certificates"])) < needed:
            raise Fault(f"{needed} of those who held the shares must attest it")
    if not replaced:
        raise Fault("its order replaced nothing")
    story.retired[event["order"]] = event


def _erase_ordered(story: Story, event: Event) -> None:
    partitions = event["partitions"]
    if event["ground"] not in ERASURE_GROUNDS or not partitions:
        raise Fault("it orders nothing erased, or on a ground that there is not")
    if partitions != sorted(set(partitions)) or not set(partitions) <= set(story.shares):
        raise Fault("it orders erased what was never made, or one partition twice")
    if any(event["order"] == before["order"] for before in story.erasures.values()):
        raise Fault("an order of this name stands before it")
    if (event["ground"] == "permit-over") != (event["permit"] in story.permits):
        raise Fault("its ground and its permit do not go together")
    story.erasures[len(story.events)] = event
    for partition in partitions:
        story.to_erase.setdefault(partition, len(story.events))


def _keys_erased(story: Story, event: Event) -> None:
    order = story.earlier(event["order"], "ErasureOrdered")
    if event["order"] in story.erased:
        raise Fault("its order was carried out before")
    for partition in order["partitions"]:
        shares = story.shares[partition]
        if not all(shares.commitment_of(name, story.retired) for name in event["certificates"]):
            raise Fault("somebody attests who held no share")
    if not event["certificates"]:
        raise Fault("nobody attests it")
    story.erased[event["order"]] = event


# What a notice may be about: from which kinds of entries a term counts, and how long it is by
# that entry's own time, in months, days and working days. None where a day counts that is
# written elsewhere: in a permit's text, or in a register's rhythm.
TERMS: dict[str, tuple[str, tuple[int, int, int] | None]] = {
    "application-decided": ("PermitMoved", (3, 0, 0)),
    "permit-renewed": ("PermitMoved", (0, 90, 0)),
    "suspension-settled": ("PermitMoved", (0, 28, 0)),
    "data-provided": ("PermitMoved", (2, 0, 0)),
    "permit-ended": ("PermitMoved", None),
    "project-deleted": ("PermitMoved", None),
    "delivery-erased": ("DeliveryChecked", (0, 90 + 30, 0)),
    "set-aside-erased": ("PartitionsCreated", (0, 90 + 30, 0)),
    "order-carried-out": ("ErasureOrdered", (0, 7, 0)),
    "decision-published": ("PermitMoved ProjectDeleted", (0, 0, 30)),
    "results-published": ("PermitMoved", None),
    "register-version": ("OppositionsUpdated", None),
    "opposition-answered": ("OppositionsUpdated", (1, 0, 0)),
    "description-verified": ("CatalogueImported", (12, 0, 0)),
}


def _notice(story: Story, event: Event) -> None:
    """A notice is about a term that runs, is given once at each stage, and not before its time."""
    if event["term"] not in TERMS or event["stage"] not in ("ahead", "overdue"):
        raise Fault("it is about a term that there is not")
    kinds, length = TERMS[event["term"]]
    since = story.earlier(event["since"], *kinds.split())
    if length is not None and _moment(event["due_at"]) != _end(_moment(since["at"]), *length):
        raise Fault("its term ends on another day than it says")
    overdue = _moment(event["at"]) > _moment(event["due_at"])
    if overdue != (event["stage"] == "overdue"):
        raise Fault("it is given at another stage of its term than it says")
    told = (event["term"], event["about"], event["since"], event["stage"])
    if told in story.notices or not event["to"]:
        raise Fault("it was given before, or to nobody")
    story.notices.add(told)


def _moment(text: str) -> datetime:
    if not text.endswith("Z"):
        raise ValueError
    return datetime.fromisoformat(text)


def _end(at: datetime, months: int, days: int, working_days: int) -> datetime:
    """Count calendar months, whose last day stands for one that they have not, or days."""
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    last = calendar.monthrange(year, month + 1)[1]
    at = at.replace(year=year, month=month + 1, day=min(at.day, last)) + timedelta(days=days)
    for _ in range(working_days):
        at += timedelta(days=1)
        while at.weekday() >= 5:
            at += timedelta(days=1)
    return at


def _project_deleted(story: Story, event: Event) -> None:
    name = event["permit"]
    if story.permits.get(name) != event["ended"] or name in story.deleted:
        raise Fault("it does not name how its permit ended, or its project was deleted before")
    if story.events[event["ended"]]["state"] not in ("revoked", "expired"):
        raise Fault("its permit is not over")
    closing = story.earlier(event["erased"], "KeysErased")
    # An order that people decided names no permit; the certificate says whose it was.
    if story.events[closing["order"]]["permit"] not in ("", name):
        raise Fault("other keys than its project's were erased")
    story.deleted[name] = event


def _drill(story: Story, event: Event) -> None:
    if event["verdict"] not in DRILL_VERDICTS:
        raise Fault("a drill held, failed, or could not be tried wholly")
    story.drills[len(story.events)] = event


def _handover(story: Story, event: Event) -> None:
    story.handovers.append((len(story.events), event))


# What is asked of each kind of entry, beyond its fields.
RULES: dict[str, Callable[[Story, Event], None]] = {
    "DeliveryChecked": _checked,
    "ErasureOrdered": _erase_ordered,
    "DrillRan": _drill,
    "ExtractMade": _extract,
    "Handover": _handover,
    "HubOpened": _opened,
    "JobRan": _job,
    "KeysAbandoned": _closed,
    "KeysErased": _keys_erased,
    "KeysReleased": _closed,
    "KeysRequested": _requested,
    "OldSharesErased": _old_erased,
    "NoticeGiven": _notice,
    "OppositionsUpdated": _oppositions,
    "OutputReleased": _released,
    "OutputReviewed": _reviewed,
    "PartitionsCreated": _made,
    "PartitionsReshared": _reshared,
    "PermitMoved": _permit,
    "ProjectDeleted": _project_deleted,
    "Recovery": _handover,
    "ReleaseMoved": _moved,
    "ResharingOrdered": _reshare_ordered,
    "VersionPublished": _version,
    "VoteCast": _vote,
}


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number_or_null(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and all(map(check, value))


def _is_map_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is dict and all(map(check, value.values()))


SHAPES: dict[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "texts": _is_list_of(_is_text),
    "number": _is_number,
    "numbers": _is_list_of(_is_number),
    "number?": _is_number_or_null,
    "map": _is_map_of(_is_text),
    "number-map": _is_map_of(_is_number),
    "map-map": _is_map_of(_is_map_of(_is_text)),
}

# Every field of every kind of entry, with its shape where it is no text: an entry has
# these and no others. What stands in brackets came later: entries from before lack it.
FIELDS = {
    "Arrived": "departure manifest_sha256 parity_sha256",
    "CatalogueImported": "catalogue_sha256 tables:number",
    "CopiesCounted": "lacking:number-map objects:number occasion",
    "DatasetPseudonymised": "dataset deliveries:texts treatments_sha256",
    "DeliveryChecked": (
        "delivery outcome report_commitment rows_accepted:number rows_set_aside:number"
    ),
    "DeliveryReceived": "delivery holder note_commitment objects:map partition",
    "Departed": "departure manifest_sha256",
    "DrillRan": "counters:number-map drill receipt_sha256 verdict",
    "ErasureOrdered": "ground order partitions:texts permit signers:texts statement_sha256",
    "ExtractMade": (
        "manifest_sha256 [oppositions:map] partition permit plan_commitment rows:number"
        " versions:number-map"
    ),
    "Handover": "log_key statement",
    "HubOpened": "origin trust_sha256",
    "JobRan": "code_sha256 environment_sha256 extract:number job outcome outputs_commitment permit",
    "KeysAbandoned": "request:number",
    "KeysErased": "certificates:map order:number",
    "KeysReleased": "receipts:map request:number",
    "KeysRequested": (
        "deliveries:numbers one_time_key_sha256 [order:number] partitions:texts "
        "permit:number? plan_commitment purpose"
    ),
    "NoticeGiven": "about due_at since:number stage term to:texts",
    "ObjectsListed": "act list_commitment",
    "OldSharesErased": "certificates:map order:number",
    "OppositionsUpdated": (
        "delivery every_hours:number holder manifest_sha256 partition people:number register root"
        " version:number"
    ),
    "OutputReleased": "files:map job manifest_sha256 permit request",
    "OutputReviewed": "decision request salts:map turn:number votes:map",
    "PartitionsCreated": "public_keys:map shares:map-map",
    "PartitionsReshared": "order:number shares:map-map",
    "ProjectDeleted": "ended:number erased:number permit statement_sha256",
    "PermitMoved": "permit predecessor:number? signers:texts state statement_sha256",
    "Recovery": "backup_sha256 log_key statement",
    "ReleaseMoved": "findings_commitment job request state",
    "ResharingOrdered": (
        "holders:texts log_size:number order previous_sha256 signers:texts "
        "statement_sha256 threshold:number threshold_before:number trust_sha256"
    ),
    "VersionPublished": (
        "dataset manifests:map parent:number? [permit] rows:number [withdrawn:number]"
    ),
    "VoteCast": "checker request vote_commitment",
}
COMMON_FIELDS = "at event_id kind v:number"


def _take(story: Story, entry: bytes) -> None:
    """Take one more entry into the story, or say what is wrong with it."""
    index = len(story.events)
    try:
        event = _parse(entry, what="it")
        _check_fields(event)
        if event["event_id"] in story.ids:
            raise Fault("its id was used before")
        if index == 0 and event["kind"] != "HubOpened":
            raise Fault("the log does not begin with its opening")
        if event["kind"] not in FIELDS:
            story.unknown += 1
        elif rule := RULES.get(event["kind"]):
            rule(story, event)
    except Fault as fault:
        raise Fault(f"Entry {index} is not right: {fault}".rstrip(".") + ".") from None
    except (KeyError, TypeError, ValueError):
        raise Fault(f"Entry {index} is not right: its fields are not those of its kind.") from None
    story.ids.add(event["event_id"])
    story.events.append(event)


def _check_fields(event: Event) -> None:
    """Make sure that an entry has the fields of its kind and no more."""
    known = f"{COMMON_FIELDS} {FIELDS.get(str(event.get('kind')), '')}".split()
    lacking = 0
    for word in known:
        name, _, shape = word.strip("[]").partition(":")
        if word.startswith("[") and name not in event:
            lacking += 1
        elif name not in event or not SHAPES[shape or "text"](event[name]):
            raise Fault("its fields are not those of its kind")
    if event["kind"] in FIELDS and len(event) != len(known) - lacking:
        raise Fault("it has fields that its kind has not")
    if not re.fullmatch("[0-9a-f]{32}", event["event_id"]) or event["v"] != 1:
        raise Fault("it is not an event of version 1")
    for name in ("people", "rows", "rows_accepted", "rows_set_aside"):
        if event.get(name, 0) % COUNT_ROUNDING:
            raise Fault("a count about people is not rounded")


def _log_keys(story: Story, *, trust: Trust) -> list[tuple[int, bytes]]:
    """Work out who signs heads, by size: the hub's key, then each signed handover's or recovery's.

    A handover's head is the old key's last word; a lost host has none.
    """
    keys = [(0, trust.hub)]
    for index, event in story.handovers:
        recovered = event["kind"] == "Recovery"
        what = f"The {'recovery' if recovered else 'handover'} in entry {index}"
        signed = _open_signed(_decode(event["statement"], what=what), what=what)
        if signed.keys != [trust.controller]:
            raise Fault(f"{what} is not signed by the controller.")
        first, kind = (index + 1, "recovery") if recovered else (index + 2, "handover")
        said = {"from_size": first, "log_key": event["log_key"]}
        if recovered:
            said["backup_sha256"] = event["backup_sha256"]
        about = (signed.kind, signed.origin, signed.subject)
        if signed.said != said or about != (f"havre/v1/{kind}", trust.origin, "log-key"):
            raise Fault(f"{what} is signed for another key, another place or another log.")
        keys.append((first, bytes.fromhex(event["log_key"])))
    return keys


PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class _Signed:
    """A statement of which every signature verifies, and the keys behind them."""

    kind: str
    origin: str
    subject: str
    said: dict[str, Any]
    keys: list[bytes]
    about: dict[str, str]


def _open_signed(document: bytes, *, what: str) -> _Signed:
    """Open a DSSE envelope around an in-toto Statement; each has one spelling."""
    payload, signatures = _read_envelope(_parse(document, what=what), what=what)
    kind = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    if not all(_signed_by(key, signature, message) for key, signature in signatures.items()):
        raise Fault(f"{what} has a signature that does not verify.")
    return _read_statement(_parse(payload, what=what), list(signatures), what=what)


def _read_envelope(envelope: dict[str, Any], *, what: str) -> tuple[bytes, dict[bytes, bytes]]:
    """Read the payload and the signatures by key, in order of key, none twice."""
    try:
        payload = _decode(envelope["payload"], what=what)
        signatures = {
            _key(line["keyid"]): _decode(line["sig"], what=what) for line in envelope["signatures"]
        }
    except (KeyError, TypeError, ValueError):
        raise Fault(f"{what} carries no signed statement.") from None
    same = {
        "payload": envelope["payload"],
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": key.hex(), "sig": base64.b64encode(signature).decode()}
            for key, signature in sorted(signatures.items())
        ],
    }
    if envelope != same or not signatures:
        raise Fault(f"{what} is spelled as no envelope of ours.")
    return payload, signatures


def _read_statement(statement: dict[str, Any], keys: list[bytes], *, what: str) -> _Signed:
    try:
        kind, said = statement["predicateType"], statement["predicate"]
        name = statement["subject"][0]["name"]
        origin, _, subject = name.rpartition("#")
        about = {each["name"]: each["digest"]["sha256"] for each in statement["subject"][1:]}
        digest = hashlib.sha256(f"{origin}\n{subject}".encode()).hexdigest()
        named = [(name, digest), *sorted(about.items())]
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Fault(f"{what} is spelled as no statement of ours.") from None
    same = {
        "_type": STATEMENT_TYPE,
        "predicate": said,
        "predicateType": kind,
        "subject": [{"digest": {"sha256": sha256}, "name": each} for each, sha256 in named],
    }
    if statement != same or type(said) is not dict or type(kind) is not str:
        raise Fault(f"{what} is spelled as no statement of ours.")
    if about and kind != "havre/v1/drill":
        raise Fault(f"{what} is about more than one thing.")
    return _Signed(kind, origin, subject, said, keys, about)


# ---------------------------------------------------------------- files beside the log


# A researcher asks for a project, the controller for upkeep; which it is, the text says.
APPLICANTS = ("researcher", "controller")
# Who must have signed what a permit's new state rests on, and how many of different operators.
# A permit ends by the calendar, which nobody signs.
PERMIT_SIGNERS = {
    "submitted": ("havre/v1/permit-application", APPLICANTS, 1),
    "assessment": ("havre/v1/permit", ("authority",), 1),
    "granted": ("havre/v1/permit", ("authority",), 2),
    "refused": ("havre/v1/permit-decision", ("authority",), 1),
    "withdrawn": ("havre/v1/permit-decision", APPLICANTS, 1),
    "suspended": ("havre/v1/permit-decision", ("authority",), 1),
    "revoked": ("havre/v1/permit-decision", ("authority",), 1),
}
# Statements that carry the permit's whole text.
_WITH_TEXT = ("havre/v1/permit-application", "havre/v1/permit")


@dataclass
class _Permits:
    """The signed statements beside the log, by the index of the entry that names each."""

    statements: dict[int, _Signed] = field(default_factory=dict)

    def applicant(self, index: int, story: Story) -> str | None:
        """Tell who asked for the permit of an entry, if the application is there."""
        first = index
        while (before := story.permit_moves[first]["predecessor"]) is not None:
            first = before
        signed = self.statements.get(first)
        return str(signed.said.get("applicant")) if signed else None


def _read_permits(folder: Path, story: Story) -> _Permits:
    """Open every published statement; each is the one whose hash the log names."""
    permits = _Permits()
    by_path = {
        f"{event['permit']}/{index}.json": index for index, event in story.permit_moves.items()
    }
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name = path.relative_to(folder).as_posix()
        what = f"register/permits/{name}"
        document = _read(path, limit_bytes=MAX_DOCUMENT_BYTES, what=what)
        index = by_path.get(name, -1)
        named = story.permit_moves.get(index, {}).get("statement_sha256")
        if hashlib.sha256(document).hexdigest() != named:
            raise Fault(f"{what} is not the statement that the log names.")
        signed = _open_signed(document, what=what)
        _check_statement(signed, index, story, what=what)
        permits.statements[index] = signed
    for index, signed in permits.statements.items():
        applicant = permits.applicant(index, story)
        if signed.kind in _WITH_TEXT and applicant not in (None, signed.said["applicant"]):
            raise Fault(f"The statement of entry {index} names another applicant than the first.")
    return permits


def _check_statement(signed: _Signed, index: int, story: Story, *, what: str) -> None:
    """Make sure that a statement says what its entry says, and was made about that moment."""
    event = story.permit_moves[index]
    if event["state"] == "expired":
        _check_over(signed, event, what=what)
        return
    kind = PERMIT_SIGNERS.get(event["state"], ("",))[0]
    if (signed.kind, signed.origin, signed.subject) != (kind, story.origin, event["permit"]):
        raise Fault(f"{what} does not say what its entry on the log says.")
    if kind == "havre/v1/permit-decision" and signed.said.get("state") != event["state"]:
        raise Fault(f"{what} does not say what its entry on the log says.")
    if kind in _WITH_TEXT:
        people = signed.said.get("people")
        if not _is_text(signed.said.get("applicant")) or not SHAPES["texts"](people):
            raise Fault(f"{what} does not name an applicant and people.")
    if kind == "havre/v1/permit-application":
        return
    # An old decision put on the log again rests on another entry than the one before it.
    before = event["predecessor"]
    if event["state"] != "assessment" and story.permit_moves[before]["state"] == "assessment":
        before = story.permit_moves[before]["predecessor"]
    if signed.said.get("rests_on") != before:
        raise Fault(f"{what} was signed about another state of the permit.")


def _check_over(signed: _Signed, event: Event, *, what: str) -> None:
    """A permit is over when the last day in its own text is."""
    ends = signed.said.get("ends_on")
    if signed.kind != "havre/v1/permit" or not _is_text(ends):
        raise Fault(f"{what} is not the text of a permit that has ended.")
    if event["at"][:10] <= str(ends):
        raise Fault(f"{what} holds until {ends}, and its entry says before that it is over.")


def _check_signers(permits: _Permits, story: Story, *, trust: Trust) -> None:
    """Make sure that every move of a permit is signed by those who may, in number and apart."""
    for index, event in story.permit_moves.items():
        what = f"Entry {index}"
        if event["state"] not in PERMIT_SIGNERS:
            continue
        _, roles, needed = PERMIT_SIGNERS[event["state"]]
        if not set(event["signers"]) <= set(trust.parties):
            raise Fault(f"{what} is signed by others than the trust roots name.")
        signers = [trust.parties[each] for each in event["signers"]]
        if len({party.operator for party in signers if party.role in roles}) < needed:
            role = " or ".join(roles)
            raise Fault(f"{what} lacks a signature: {needed} of role {role} are needed.")
        if index in permits.statements:
            _check_signed_text(permits, index, story, trust=trust)


def _check_signed_text(permits: _Permits, index: int, story: Story, *, trust: Trust) -> None:
    signed, event = permits.statements[index], story.permit_moves[index]
    ids = sorted(hashlib.sha256(key).hexdigest() for key in signed.keys)
    if ids != sorted(event["signers"]):
        raise Fault(f"Entry {index} is signed by others than its statement.")
    signers = [trust.parties[each] for each in ids]
    if event["state"] in ("submitted", "withdrawn"):
        _check_applicant(permits, index, story, signers)
    elif signed.kind in _WITH_TEXT:
        _check_apart(signed, signers, index, trust=trust)


def _check_applicant(permits: _Permits, index: int, story: Story, signers: list[Party]) -> None:
    """Make sure that the applicant signed alone, and is one who may ask for this."""
    applicant = permits.applicant(index, story)
    if applicant is not None and [party.name for party in signers] != [applicant]:
        raise Fault(f"Entry {index} is not signed by the applicant alone.")
    if story.permit_moves[index]["state"] == "submitted":
        role = "controller" if "upkeep" in permits.statements[index].said else "researcher"
        if [party.role for party in signers] != [role]:
            raise Fault(f"Entry {index} asks for a permit for which the {role} asks.")


def _check_apart(signed: _Signed, signers: list[Party], index: int, *, trust: Trust) -> None:
    """Make sure that nobody signed a permit for his own house."""
    operators = {party.name: party.operator for party in trust.parties.values()}
    people = {signed.said["applicant"], *signed.said["people"]}
    if not people <= set(operators):
        raise Fault(f"The permit of entry {index} names people whom the trust roots do not know.")
    if {operators[name] for name in people} & {party.operator for party in signers}:
        raise Fault(f"Entry {index} is signed by the applicant's own house.")


def _check_ends(permits: _Permits, story: Story) -> None:
    """Make sure that a project was erased as over only when its permit was, by its own text."""
    for at, order in story.erasures.items():
        moves = [
            index
            for index, moved in story.permit_moves.items()
            if moved["permit"] == order["permit"] and index < at
        ]
        if not moves or story.permit_moves[moves[-1]]["state"] == "revoked":
            continue
        texts = [permits.statements[each] for each in moves if each in permits.statements]
        ends = [str(text.said["ends_on"]) for text in texts if "ends_on" in text.said]
        if ends and order["at"][:10] <= ends[-1]:
            raise Fault(f"Entry {at} is not right: the permit holds until {ends[-1]}.")


def _check_despite(permits: _Permits, story: Story) -> int:
    """Make sure that who left nobody out had a reason that authorities signed; how many are unseen."""
    unseen = 0
    for at, permit in story.despite:
        moves = [
            index
            for index, event in story.permit_moves.items()
            if event["permit"] == permit and event["state"] == "granted" and index < at
        ]
        signed = permits.statements.get(moves[-1]) if moves else None
        if signed is None:
            unseen += 1
        elif not str(signed.said.get("despite_oppositions", "")).strip():
            raise Fault(f"Entry {at} leaves nobody out, and its permit does not say why.")
    return unseen


def _check_dates(permits: _Permits, story: Story) -> None:
    """Make sure that keys were lent while the signed permit held, by the hub's own clock."""
    for at, _, asked in story.lent:
        signed = permits.statements.get(asked["permit"])
        day = story.events[at]["at"][:10]
        if signed is None:
            continue
        first, last = str(signed.said.get("starts_on")), str(signed.said.get("ends_on"))
        if not first <= day <= last:
            raise Fault(f"Entry {at} lends keys of a permit that holds from {first} to {last}.")
        upkeep = signed.said.get("upkeep")
        if asked["purpose"] != upkeep and (upkeep is not None or asked["purpose"] in UPKEEP):
            raise Fault(f"Entry {at} lends keys for another purpose than its permit's.")
        if upkeep is not None:
            try:
                held = (date.fromisoformat(last) - date.fromisoformat(first)).days
            except ValueError:
                held = UPKEEP_DAYS
            if held >= UPKEEP_DAYS:
                raise Fault(f"Entry {at} rests on a permit for upkeep that holds too long.")


CERTIFIED = "The shares named here are destroyed, and no other copy of them exists."


def _check_erased_files(folder: Path, story: Story, *, trust: Trust | None) -> int:
    """Open every published order and certificate of an erasure; returns how many there are."""
    wanted = {f"{at}/order.json": order["statement_sha256"] for at, order in story.erasures.items()}
    for at, event in story.erased.items():
        wanted |= {f"{at}/{name}.json": digest for name, digest in event["certificates"].items()}
    found = 0
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name = path.relative_to(folder).as_posix()
        what = f"register/erasures/{name}"
        document = _read(path, limit_bytes=MAX_DOCUMENT_BYTES, what=what)
        if hashlib.sha256(document).hexdigest() != wanted.get(name):
            raise Fault(f"{what} is not the statement that the log names.")
        signed = _open_signed(document, what=what)
        number, _, who = name.removesuffix(".json").partition("/")
        if who == "order":
            _check_order_text(signed, story.erasures[int(number)], story, what=what)
        else:
            _check_certificate(signed, int(number), who, story, what=what)
            if trust is not None and _names(signed, trust) != [who]:
                raise Fault(f"{what} is signed by somebody else.")
        found += 1
    return found


def _check_order_text(signed: _Signed, order: Event, story: Story, *, what: str) -> None:
    about = (signed.kind, signed.origin, signed.subject)
    said = [signed.said.get(name) for name in ("ground", "partitions", "permit")]
    ids = sorted(hashlib.sha256(key).hexdigest() for key in signed.keys)
    if (
        about != ("havre/v1/erasure-order", story.origin, order["order"])
        or said != [order["ground"], order["partitions"], order["permit"]]
        or ids != sorted(order["signers"])
    ):
        raise Fault(f"{what} does not say what its entry on the log says.")


def _check_certificate(signed: _Signed, at: int, who: str, story: Story, *, what: str) -> None:
    order = story.erasures[at]
    shares = {
        each: story.shares[each].commitment_of(who, story.retired) for each in order["partitions"]
    }
    about = (signed.kind, signed.origin, signed.subject, signed.said.get("custodian"))
    said = [signed.said.get(name) for name in ("order_sha256", "shares", "statement")]
    if (
        about != ("havre/v1/erasure-certificate", story.origin, f"erasure-{at}", who)
        or said != [order["statement_sha256"], shares, CERTIFIED]
        or signed.said.get("epoch_destroyed") == signed.said.get("epoch_after")
    ):
        raise Fault(f"{what} does not attest what its entry on the log says.")


DELETED = (
    "Enough custodians attest that the shares of this project's keys are destroyed: what was"
    " sealed to them opens no more. The permit's text is kept."
)


def _check_deletions(
    folder: Path, story: Story, report: Report, *, keys: list[tuple[int, bytes]]
) -> None:
    """Open every published certificate of a deleted project, and compare it with the log.

    keys: who signs heads, by size; empty when the reader brought no trust roots.
    """
    found = 0
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        what = f"register/deletions/{path.relative_to(folder).as_posix()}"
        document = _read(path, limit_bytes=MAX_DOCUMENT_BYTES, what=what)
        event = story.deleted.get(path.stem) if path.suffix == ".json" else None
        digest = hashlib.sha256(document).hexdigest()
        if event is None or path.parent != folder or digest != event["statement_sha256"]:
            raise Fault(f"{what} is not the certificate that the log names.")
        signed = _open_signed(document, what=what)
        _check_deletion(signed, event, story, what=what)
        index = story.events.index(event)
        if keys and signed.keys != [[key for first, key in keys if first <= index + 1][-1]]:
            raise Fault(f"{what} is not signed by the hub.")
        found += 1
    if story.deleted:
        report.checked.append(f"{found} certificates of deleted projects against the log")
    if missing := len(story.deleted) - found:
        report.not_checked.append(
            f"certificates of deletion that are not beside the log: {missing}"
        )


def _check_deletion(signed: _Signed, event: Event, story: Story, *, what: str) -> None:
    closing, said = story.events[event["erased"]], signed.said
    extracts = [
        at
        for at, each in enumerate(story.events[: story.events.index(event)])
        if each["kind"] == "ExtractMade" and each["permit"] == event["permit"]
    ]
    partitions = set(story.events[closing["order"]]["partitions"])
    texts = [
        moved["statement_sha256"]
        for moved in story.permit_moves.values()
        if (moved["permit"], moved["state"]) == (event["permit"], "granted")
    ]
    expected = {
        "attested": closing["certificates"],
        "certified_at": said.get("certified_at"),
        "ended": event["ended"],
        "erased": event["erased"],
        "extracts": extracts,
        "order": closing["order"],
        "state": story.events[event["ended"]]["state"],
        "statement": DELETED,
        "text_sha256": texts[-1] if texts else "",
    }
    about = (signed.kind, signed.origin, signed.subject)
    if about != ("havre/v1/deletion", story.origin, event["permit"]) or said != expected:
        raise Fault(f"{what} does not certify what the log says.")
    if not {story.events[at]["partition"] for at in extracts} <= partitions:
        raise Fault(f"{what} certifies an extract whose keys the order does not name.")


def _names(signed: _Signed, trust: Trust) -> list[str]:
    ids = [hashlib.sha256(key).hexdigest() for key in signed.keys]
    return [trust.parties[each].name if each in trust.parties else "" for each in ids]


def _check_erasures(story: Story, *, trust: Trust) -> None:
    """Make sure that whoever ordered keys erased may, and that enough custodians attested it."""
    for index, order in story.erasures.items():
        roles = {trust.parties[key].role for key in order["signers"] if key in trust.parties}
        if not roles & set(ERASURE_GROUNDS[order["ground"]]):
            raise Fault(f"Entry {index} is not right: nobody signed it who may order it.")
    for index, event in story.erased.items():
        for partition in story.erasures[index]["partitions"]:
            _check_enough(story, event, story.shares[partition], trust=trust)
    _check_resharings(story, trust=trust)


def _check_resharings(story: Story, *, trust: Trust) -> None:
    """Make sure that two houses ordered that others hold the shares."""
    for index, order in story.resharings.items():
        signers = [trust.parties[key] for key in order["signers"] if key in trust.parties]
        if not {"controller", "authority"} <= {party.role for party in signers}:
            raise Fault(f"Entry {index} is not right: a controller and an authority must sign it.")
        if len({party.operator for party in signers}) < 2:
            raise Fault(f"Entry {index} is not right: one house alone signed it.")


def _check_enough(story: Story, event: Event, shares: _Shares, *, trust: Trust) -> None:
    """Make sure that of every set of shares so many are gone that the rest give nothing back."""
    at = story.events.index(event)
    sets = [(shares.holders, shares.threshold or trust.threshold)]
    ended = {order for order, each in story.retired.items() if story.events.index(each) < at}
    sets += [each for order, each in shares.former.items() if order not in ended]
    for holders, threshold in sets:
        needed = len(holders) - threshold + 1
        attested = len(set(holders) & set(event["certificates"]))
        if attested < needed:
            raise Fault(
                f"Entry {at} is not right: {needed} custodians must attest, and {attested} did."
            )


def _check_roles(story: Story, *, trust: Trust) -> None:
    """Make sure that whoever the log says has voted or delivered is one who may."""
    acting = {
        "VoteCast": ("checker", "checker"),
        "DeliveryReceived": ("holder", "holder"),
        "OppositionsUpdated": ("holder", "holder"),
    }
    for index, event in enumerate(story.events):
        if event["kind"] in acting:
            field_name, role = acting[event["kind"]]
            party = trust.parties.get(event[field_name])
            if party is None or party.role != role:
                raise Fault(f"Entry {index} is not right: its {role} is none of the trust roots.")
            if event.get("register", party.name) != party.name:
                raise Fault(f"Entry {index} is not right: it is another holder's register.")
        approved = event["kind"] == "OutputReviewed" and event["decision"] == "approved"
        if approved and len({trust.parties[key].operator for key in event["votes"]}) < VOTES_NEEDED:
            raise Fault(f"Entry {index} is not right: one house alone approved.")


MANIFEST = "ro-crate-metadata.json"


def _check_releases(folder: Path, story: Story) -> tuple[int, int]:
    """Compare released files with the hashes on the log; how many are there, and how many not."""
    wanted = {
        f"{request}/{name}": digest
        for request, event in story.releases.items()
        for name, digest in {**event["files"], MANIFEST: event["manifest_sha256"]}.items()
    }
    found = 0
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name = path.relative_to(folder).as_posix()
        what = f"releases/{name}"
        if name not in wanted:
            raise Fault(f"{what} was not released by the log.")
        if _sha256_of(path, what=what) != wanted[name]:
            raise Fault(f"{what} is not the file that was released.")
        found += 1
    return found, len(wanted) - found


@dataclass
class _Receipts:
    """The receipts of drills beside the log, by SHA-256, and those that are missing."""

    found: dict[str, _Signed] = field(default_factory=dict)
    missing: int = 0

    @property
    def sizes(self) -> set[Any]:
        """The sizes of the log at which drills were held, as their receipts say."""
        return {signed.said.get("log_size") for signed in self.found.values()}


def _open_receipts(folder: Path) -> _Receipts:
    """Open every receipt of a drill; each is named by its own hash."""
    receipts = _Receipts()
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        what = f"drills/{path.relative_to(folder).as_posix()}"
        document = _read(path, limit_bytes=MAX_DOCUMENT_BYTES, what=what)
        digest = hashlib.sha256(document).hexdigest()
        if path.name != f"{digest}.json" or path.parent != folder:
            raise Fault(f"{what} is not named by its own hash.")
        receipts.found[digest] = _open_signed(document, what=what)
    return receipts


def _check_receipts(receipts: _Receipts, story: Story) -> None:
    """Compare receipts with the log, and judge each criterion anew."""
    named = {event["receipt_sha256"]: index for index, event in story.drills.items()}
    receipts.missing = len(set(named) - set(receipts.found))
    for digest, signed in receipts.found.items():
        what = f"drills/{digest}.json"
        event = story.events[named[digest]] if digest in named else None
        said = signed.said
        about = (signed.kind, signed.origin, signed.subject)
        if event is None or about != ("havre/v1/drill", story.origin, event["drill"]):
            raise Fault(f"{what} is no receipt that the log names.")
        if (said["verdict"], said["counters"]) != (event["verdict"], event["counters"]):
            raise Fault(f"{what} does not say what its entry on the log says.")
        if said["verdict"] != _judge(said["criteria"], what=what):
            raise Fault(f"{what} has another verdict than its own numbers lead to.")
        root = story.roots.get(said["log_size"], b"")
        if signed.about.get("log") != root.hex() or said["log_size"] > named[digest]:
            raise Fault(f"{what} was held on another log than this.")


def _judge(criteria: list[dict[str, Any]], *, what: str) -> str:
    """Work out a drill's verdict from what was observed and what is allowed."""
    answers = []
    for each in criteria:
        observed, limit = each["observed"], each["limit"]
        held = None if observed is None else _within(observed, limit, bound=each["bound"])
        if each["held"] is not held or (held is None) != bool(each["not_run"]):
            raise Fault(f"{what} judges {each['name']} otherwise than its numbers do.")
        answers.append(held)
    if False in answers:
        return "failed"
    return "held" if answers and None not in answers else "incomplete"


def _within(observed: Any, limit: Any, *, bound: Any) -> bool:
    if not _is_number(observed) or not _is_number(limit):
        raise TypeError
    return bool({"at most": observed <= limit, "at least": observed >= limit}[bound])


def _check_receipt_signers(
    receipts: _Receipts, story: Story, *, keys: list[tuple[int, bytes]]
) -> None:
    """Make sure that the hub that wrote the entry has signed the receipt."""
    for index, event in story.drills.items():
        signed = receipts.found.get(event["receipt_sha256"])
        key = [key for first, key in keys if first <= index + 1][-1]
        if signed is not None and signed.keys != [key]:
            raise Fault(f"The receipt of entry {index} is not signed by the hub.")


# ---------------------------------------------------------------- a receipt of an opposition


@dataclass(frozen=True)
class _OppositionReceipt:
    """What a holder signed for somebody who objects, and the keys behind it."""

    said: dict[str, Any]
    keys: list[bytes]


# A receipt says these, with their shapes, and nothing else.
RECEIPT_FIELDS = {
    "extracts": "numbers",
    "numbers": "text",
    "people": "number",
    "person": "text",
    "place": "number",
    "proof": "texts",
    "register": "text",
    "root": "text",
    "salt": "text",
    "update": "number",
    "version": "number",
}


def _read_opposition_receipt(path: Path, *, origin: str) -> _OppositionReceipt:
    what = "The receipt"
    document = _read(path, limit_bytes=MAX_DOCUMENT_BYTES, what=what)
    signed = _open_signed(document, what=what)
    said = signed.said
    if set(said) != set(RECEIPT_FIELDS) or not all(
        SHAPES[shape](said[name]) for name, shape in RECEIPT_FIELDS.items()
    ):
        raise Fault(f"{what} is spelled as no receipt of an opposition.")
    about = (signed.kind, signed.origin, signed.subject)
    if about != ("havre/v1/opposition-receipt", origin, f"opposition-{said['update']}"):
        raise Fault(f"{what} is of another log, or no receipt of an opposition.")
    return _OppositionReceipt(said, signed.keys)


def _committed(label: str, salt: str, document: Any) -> str:
    message = label.encode() + b"\n" + _canonical(document)
    return hmac.new(bytes.fromhex(salt), message, hashlib.sha256).hexdigest()


def _check_person(said: dict[str, Any], number: str) -> None:
    """Make sure that a receipt was made for the person with this number."""
    spelled = "".join(number.split()).upper()
    found = _committed("havre/v1/opposition-person", said["salt"], spelled)
    if not hmac.compare_digest(found, said["person"]):
        raise Fault("The receipt is another person's.")


def _check_in_tree(said: dict[str, Any]) -> None:
    """Follow the hashes from the person's leaf up to the root (RFC 9162, section 2.1.3.2)."""
    found = _leaf(_canonical({"numbers": said["numbers"], "person": said["person"]}))
    place, last = said["place"], said["people"] - 1
    fault = Fault("The receipt does not lead to its root: the opposition is not in that list.")
    if place > last:
        raise fault
    for text in said["proof"]:
        if last == 0:
            raise fault
        sibling = bytes.fromhex(text)
        if place & 1 or place == last:
            found = _node(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = _node(found, sibling)
        place, last = place >> 1, last >> 1
    if last or found.hex() != said["root"]:
        raise fault


def _check_on_log(said: dict[str, Any], story: Story) -> None:
    """Make sure that the log has the version, and that each extract named was made with it."""
    index = said["update"]
    update = story.events[index] if index < len(story.events) else {}
    same = all(update.get(name) == said[name] for name in ("register", "root", "version", "people"))
    if update.get("kind") != "OppositionsUpdated" or not same:
        raise Fault("The receipt's version of the register is not the one on the log.")
    for at in said["extracts"]:
        event = story.events[at] if at < len(story.events) else {}
        if (event.get("oppositions") or {}).get(said["register"]) != said["root"]:
            raise Fault(f"The receipt names entry {at}, which was not made with that version.")


def _check_opposition(
    options: argparse.Namespace, story: Story, report: Report, *, trust: Trust | None
) -> None:
    """Check a receipt, if there is one, against the log that was read, and say what it shows."""
    if options.receipt is None:
        return
    number = options.person
    try:
        receipt = _read_opposition_receipt(options.receipt, origin=story.origin)
        said = receipt.said
        _check_on_log(said, story)
        _check_in_tree(said)
        if number is not None:
            _check_person(said, number)
    except (TypeError, ValueError):
        raise Fault("The receipt is spelled as no receipt of an opposition.") from None
    if trust is not None:
        signers = [trust.parties.get(hashlib.sha256(key).hexdigest()) for key in receipt.keys]
        if [each and (each.role, each.name) for each in signers] != [("holder", said["register"])]:
            raise Fault("The receipt is not signed by the holder who keeps the register.")
    listed = ", ".join(map(str, said["extracts"])) or "none yet"
    report.checked.append(
        f"the receipt: this opposition is in version {said['version']} of the register of"
        f" {said['register']} (entry {said['update']}), which these extracts left out: {listed}"
    )
    if number is None:
        report.not_checked.append("whose receipt it is: give --person NUMBER")
    report.not_checked.append(
        "of the receipt, the holder's and the hub's word: that the pseudonyms behind it are this"
        " person's, and that no row of them was in those extracts"
    )


# ---------------------------------------------------------------- the whole


@dataclass
class Report:
    """What was checked, and what was not, in sentences."""

    checked: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    size: int = 0
    root: str = ""


def _read_story(log: LogFolder, head: Head, *, seen: Head | None, sizes: set[Any]) -> Story:
    """Read every entry, rebuild the tree, and compare it with both heads.

    sizes: at which the root is asked for later.
    """
    story, tree, leaves = Story(head.origin), Tree(), []
    roots = story.roots
    roots[0] = tree.root()
    wanted = {*sizes, seen.size} if seen is not None else sizes
    for number in range(-(-head.size // WIDTH)):
        for entry in _bundle(log, number, size=head.size):
            _take(story, entry)
            leaves.append(_leaf(entry))
            tree.add(leaves[-1])
            if len(leaves) in wanted:
                roots[len(leaves)] = tree.root()
    _check_tiles(log, leaves)
    if tree.root() != head.root:
        raise Fault("The entries do not lead to the root in the checkpoint.")
    if seen is None:
        return story
    if seen.origin != head.origin:
        raise Fault("The head seen earlier is of another log.")
    if seen.size > head.size:
        raise Fault(f"The log has {head.size} entries, and had {seen.size}: it was rolled back.")
    if roots[seen.size] != seen.root:
        raise Fault(f"The first {seen.size} entries are not those seen earlier: a fork.")
    return story


def _check_who(
    head: Head, story: Story, report: Report, *, trust: Trust, seen: Head | None
) -> list[int]:
    """Check the log's signature and the witnesses'; return when they cosigned."""
    keys = _log_keys(story, trust=trust)
    _check_signature(head, trust=trust, keys=keys, what="The checkpoint")
    if seen is not None:
        _check_signature(seen, trust=trust, keys=keys, what="The head seen earlier")
    times = _cosigned_at(head, trust=trust)
    report.checked.append(
        f"the log's signature, and {len(times)} of {len(trust.witnesses)} witnesses"
        f" ({trust.quorum} needed)"
    )
    if story.trust_sha256 and story.trust_sha256[-1] != trust.sha256:
        report.notes.append(
            "these trust roots are not those that the log "
            + ("began with" if len(story.trust_sha256) == 1 else "leads to")
        )
    return times


def verify(site: Path, report: Report, *, options: argparse.Namespace, now: int) -> None:
    """Check a site folder as far as the options allow, and report it.

    now: seconds since 1970 by the reader's own clock.

    Raises:
        Fault: the first thing that is not what it claims.
        WrongFile: a file of the reader's own cannot be used.
    """
    _refuse_links(site)
    folder = site / "log"
    head = _parse_head(
        _read(folder / "checkpoint", limit_bytes=MAX_NOTE_BYTES, what="log/checkpoint"),
        what="log/checkpoint",
    )
    report.size, report.root = head.size, head.root.hex()
    seen = _read_seen(options.seen) if options.seen else None
    trust = _read_trust(options.trust) if options.trust else None
    log = LogFolder(folder)
    log.survey()
    receipts = _open_receipts(site / "drills")
    story = _read_story(log, head, seen=seen, sizes=receipts.sizes)
    report.checked.append(f"{head.size} entries and {log.files} tile files under one root")
    report.checked.append("every entry refers to what was there before it")
    times = _check_who(head, story, report, trust=trust, seen=seen) if trust else []
    if trust is None:
        report.not_checked.append("authenticity (who signed): give --trust FILE, from elsewhere")
    elif options.trust.resolve().is_relative_to(site.resolve()):
        report.not_checked.append("authenticity: these trust roots come from the site itself")
    if seen is not None:
        report.checked.append(f"it continues the head of {seen.size} entries seen earlier")
    _check_beside(site, story, report, trust=trust)
    _check_drills(receipts, story, report, trust=trust)
    _check_opposition(options, story, report, trust=trust)
    for what, count in {
        "files past the checkpoint": log.ahead,
        "unknown kinds": story.unknown,
        "files in log/ that are no part of a log": len(log.strange),
    }.items():
        report.not_checked += [f"{what}: {count}"] if count else []
    # Last: an old copy may be genuine all the same, and that is another answer.
    if trust is not None and options.max_age is not None:
        age_s = _check_age(times, trust=trust, max_age_s=options.max_age, now=now)
        report.checked.append(f"cosigned by enough witnesses {max(0, age_s)} seconds ago")
    else:
        what = "freshness (is it an old copy): give --max-age"
        report.not_checked.append(what if seen else f"{what} or --seen")


def _refuse_links(site: Path) -> None:
    """Refuse a site with a link in it: what a link shows today it need not show tomorrow."""
    for here, folders, names in os.walk(site):
        for name in (*folders, *names):
            if (Path(here) / name).is_symlink():
                raise Fault(f"{(Path(here) / name).relative_to(site).as_posix()} is a link.")


def _read_seen(path: Path) -> Head:
    """Read the head that the reader saw earlier.

    Raises:
        WrongFile: it is none.
    """
    try:
        return _parse_head(path.read_bytes()[: MAX_NOTE_BYTES + 1], what="The head seen earlier")
    except (OSError, Fault) as fault:
        raise WrongFile(str(fault)) from None


def _check_beside(site: Path, story: Story, report: Report, *, trust: Trust | None) -> None:
    permits = _read_permits(site / "register" / "permits", story)
    _check_dates(permits, story)
    _check_ends(permits, story)
    erasures = _check_erased_files(site / "register" / "erasures", story, trust=trust)
    keys = _log_keys(story, trust=trust) if trust is not None else []
    _check_deletions(site / "register" / "deletions", story, report, keys=keys)
    unseen = _check_despite(permits, story)
    found, missing = _check_releases(site / "releases", story)
    moves, texts = len(story.permit_moves), len(permits.statements)
    named = len(story.erasures) + sum(len(each["certificates"]) for each in story.erased.values())
    if named:
        report.checked.append(f"{erasures} orders and certificates of erasures against the log")
    if named - erasures:
        report.not_checked.append(
            f"orders and certificates of erasures that are not beside the log: {named - erasures}"
        )
    report.checked.append(f"{texts} permit statements and {found} released files against the log")
    if trust is not None:
        _check_signers(permits, story, trust=trust)
        _check_roles(story, trust=trust)
        _check_erasures(story, trust=trust)
        report.checked.append(
            f"who may grant, deliver and vote; {texts} of {moves} moves of permits by signatures"
        )
    if moves - texts:
        report.not_checked.append(f"permit statements that are not beside the log: {moves - texts}")
    if unseen:
        report.not_checked.append(f"why extracts leave nobody out who objects: {unseen}")
    if missing:
        report.not_checked.append(f"released files that are not beside the log: {missing}")


def _check_drills(
    receipts: _Receipts, story: Story, report: Report, *, trust: Trust | None
) -> None:
    _check_receipts(receipts, story)
    if trust is not None:
        _check_receipt_signers(receipts, story, keys=_log_keys(story, trust=trust))
    if story.drills:
        report.checked.append(f"{len(receipts.found)} receipts of drills, judged anew")
    if receipts.missing:
        report.not_checked.append(f"drills whose receipt is not beside the log: {receipts.missing}")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify_log.py", description="Verify a hub's public record offline."
    )
    parser.add_argument("site", type=Path, metavar="DIR", help="a published site, with log/ in it")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="trust roots, from elsewhere")
    parser.add_argument("--max-age", type=int, metavar="SECONDS", help="oldest head accepted")
    parser.add_argument("--seen", type=Path, metavar="FILE", help="a checkpoint seen earlier")
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="a receipt of an opposition")
    parser.add_argument("--person", metavar="NUMBER", help="the number that the receipt is for")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


VERDICTS = {
    0: "genuine as far as checked",
    EXIT_NOT_GENUINE: "not genuine",
    EXIT_TOO_OLD: "too old",
}


def _print(report: Report, code: int, fault: str | None, *, as_json: bool) -> None:
    verdict = VERDICTS[code]
    if as_json:
        print(json.dumps({"verdict": verdict, "fault": fault, **vars(report)}, sort_keys=True))
        return
    for word, lines in (
        ("checked", report.checked),
        ("note", report.notes),
        ("NOT CHECKED", report.not_checked),
    ):
        for line in lines:
            print(f"{word:<12} {_printable(line)}")
    print(f"{verdict.upper()}: {_printable(fault)}" if fault else verdict.upper())


def _printable(text: str) -> str:
    """Keep a name out of the site from writing a line of its own, or to the terminal."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def _verified(report: Report, options: argparse.Namespace) -> tuple[int, str | None]:
    """Verify, and answer with an exit code and what is wrong, whatever the site holds."""
    try:
        verify(options.site, report, options=options, now=int(time.time()))
    except TooOld as fault:
        return EXIT_TOO_OLD, str(fault)
    except Fault as fault:
        return EXIT_NOT_GENUINE, str(fault)
    except WrongFile:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever a hostile site does, it is not genuine
        return EXIT_NOT_GENUINE, f"It cannot be read to the end ({type(fault).__name__})."
    return 0, None


def main() -> int:
    parser = _arguments()
    options = parser.parse_args()
    if not options.site.is_dir():
        parser.error("DIR is not a folder")
    if options.max_age is not None and (options.trust is None or options.max_age < 0):
        parser.error("--max-age needs --trust, and is not negative")
    if options.person is not None and options.receipt is None:
        parser.error("--person needs --receipt")
    report = Report()
    try:
        code, fault = _verified(report, options)
    except WrongFile as wrong:
        parser.error(_printable(str(wrong)))
    # What was checked before a fault was found is no answer to a reader.
    _print(Report() if code == EXIT_NOT_GENUINE else report, code, fault, as_json=options.json)
    return code


if __name__ == "__main__":
    sys.exit(main())
