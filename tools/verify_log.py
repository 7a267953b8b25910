"""Verify a hub's public record offline: one file, which imports nothing of Havre.

    python verify_log.py DIR [--trust FILE] [--max-age SECONDS] [--seen FILE] [--json]

DIR is a published site: `log/` in the C2SP tlog-tiles layout, and, where they
are there, `register/permits/` and `releases/`. Every entry and every tile is
hashed anew, the head is compared with its signatures, and the acts are checked
for making sense one after the other.

What this cannot know by itself comes from you, and from elsewhere than DIR:
`--trust`, who may sign; `--max-age` or `--seen`, that this is not an old copy.
Without them it says that authenticity and freshness were not checked.

It needs Python 3.11 and the package `cryptography`, nothing else. Exit codes:
0 what was checked is genuine, 4 something is not, 2 the command was wrong.

Sources: RFC 9162 section 2.1; C2SP tlog-tiles, tlog-checkpoint, signed-note and
tlog-cosignature; RFC 8785; DSSE v1; `docs/protocols.md`.
"""

from __future__ import annotations

import argparse
import base64
import binascii
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

EXIT_NOT_GENUINE = 4

_LINE = re.compile(r"— (?P<name>[^ +]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")
_TILE = re.compile(
    r"tile/(?P<level>entries|0|[1-9]\d?)/(?P<path>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?"
)


class Fault(Exception):
    """Something is not what it claims; one sentence that names the place."""


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
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(f"{what} is not base64.") from None


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
    hub: bytes
    controller: bytes
    witnesses: dict[str, bytes]
    parties: dict[str, Party]


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
        origin = str(body["origin"])
    except (KeyError, TypeError, ValueError):
        raise Fault(f"{what} is not of the form havre/v1/trust.") from None
    sha256 = hashlib.sha256(document).hexdigest()
    parties = _distinct(listed, faulty=faulty, what=what)
    keys = {party.name: party.key for party in witnesses}
    return Trust(sha256, origin, len(keys) - faulty, hub, controller, keys, parties)


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
        raise Fault(f"The head was last cosigned {age_s} seconds ago; {max_age_s} are allowed.")
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
    """The files of a log; `widths` lists the partial files of each tile."""

    folder: Path
    widths: dict[tuple[str, int], list[int]] = field(default_factory=dict)
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
                if match["width"]:
                    place = (match["level"], number)
                    self.widths.setdefault(place, []).append(int(match["width"]))

    def tile(self, level: str, number: int, *, width: int) -> bytes:
        """Read one tile or bundle."""
        groups = [f"{number % 1000:03d}"]
        while number := number // 1000:
            groups.insert(0, f"x{number % 1000:03d}")
        partial = "" if width == WIDTH else f".p/{width}"
        path = f"tile/{level}/{'/'.join(groups)}{partial}"
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
        self.ahead += sum(map(len, self.widths.values()))


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
class Story:
    """What the entries so far have said, as far as later ones refer to it."""

    origin: str
    events: list[Event] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    newest_version: dict[str, int] = field(default_factory=dict)
    permits: dict[str, int] = field(default_factory=dict)
    permit_moves: dict[int, Event] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    jobs: dict[str, int] = field(default_factory=dict)
    votes: dict[str, dict[str, str]] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    releases: dict[str, Event] = field(default_factory=dict)
    handovers: list[tuple[int, Event]] = field(default_factory=list)
    unknown: int = 0

    def earlier(self, index: Any, *kinds: str) -> Event:
        """Find the earlier entry that an entry refers to, which must be of one of these kinds."""
        if type(index) is not int or not 0 <= index < len(self.events):
            raise Fault("it refers to an entry that was not there yet")
        if self.events[index]["kind"] not in kinds:
            raise Fault(f"it refers to entry {index}, which is no {' or '.join(kinds)}")
        return self.events[index]


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


def _opened(story: Story, event: Event) -> None:
    if story.events:
        raise Fault("the log was opened a second time")
    if event["origin"] != story.origin:
        raise Fault("it opens the log of another origin")


def _version(story: Story, event: Event) -> None:
    newest = story.newest_version.get(event["dataset"])
    if event["parent"] != newest:
        raise Fault("its parent is not the dataset's version before")
    story.newest_version[event["dataset"]] = len(story.events)


def _permit(story: Story, event: Event) -> None:
    name = event["permit"]
    before = story.permits.get(name)
    if event["predecessor"] != before:
        raise Fault(f"it does not name the entry before it of permit {name}")
    state = "" if before is None else story.events[before]["state"]
    if event["state"] not in PERMIT_MOVES[state].split():
        raise Fault(f"permit {name} cannot become {event['state']} from there")
    story.permits[name] = len(story.events)
    story.permit_moves[len(story.events)] = event


def _in_force(story: Story, name: str) -> None:
    index = story.permits.get(name)
    if index is None or story.events[index]["state"] != "granted":
        raise Fault(f"permit {name} was not granted at that moment")


def _requested(story: Story, event: Event) -> None:
    if event["permit"] is not None:
        story.earlier(event["permit"], "PermitMoved")
    for index in event["deliveries"]:
        story.earlier(index, "DeliveryReceived")


def _closed(story: Story, event: Event) -> None:
    request = story.earlier(event["request"], "KeysRequested")
    if event["request"] in story.closed:
        raise Fault("its request was closed before")
    story.closed.add(event["request"])
    if event["kind"] == "KeysReleased" and request["permit"] is not None:
        _in_force(story, story.events[request["permit"]]["permit"])


def _extract(story: Story, event: Event) -> None:
    _in_force(story, event["permit"])
    for dataset, index in event["versions"].items():
        if story.earlier(index, "VersionPublished")["dataset"] != dataset:
            raise Fault("it was cut from another dataset than it says")


def _job(story: Story, event: Event) -> None:
    if story.earlier(event["extract"], "ExtractMade")["permit"] != event["permit"]:
        raise Fault("it ran on another permit's extract")
    story.jobs[event["job"]] = len(story.events)


def _vote(story: Story, event: Event) -> None:
    cast = story.votes.setdefault(event["request"], {})
    if event["checker"] in cast:
        raise Fault("one checker voted twice")
    cast[event["checker"]] = event["vote_commitment"]


def _reviewed(story: Story, event: Event) -> None:
    cast = story.votes.pop(event["request"], {})
    if set(event["votes"]) != set(cast) or set(event["salts"]) != set(cast):
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
        if hmac.new(salt, message, hashlib.sha256).hexdigest() != cast[checker]:
            raise Fault("a vote that was opened is not the one that was cast")
    story.approved.discard(event["request"])
    if list(event["votes"].values()).count("approve") >= 2:
        story.approved.add(event["request"])


def _released(story: Story, event: Event) -> None:
    if event["request"] not in story.approved:
        raise Fault("two checkers had not approved it")
    if event["job"] not in story.jobs:
        raise Fault("its job never ran")
    if story.events[story.jobs[event["job"]]]["permit"] != event["permit"]:
        raise Fault("its job ran under another permit")
    story.releases[event["request"]] = event


def _moved(story: Story, event: Event) -> None:
    if event["job"] not in story.jobs:
        raise Fault("its job never ran")


def _handover(story: Story, event: Event) -> None:
    story.handovers.append((len(story.events), event))


# What is asked of each kind of entry, beyond what is asked of all.
RULES: dict[str, Callable[[Story, Event], None]] = {
    "ExtractMade": _extract,
    "Handover": _handover,
    "HubOpened": _opened,
    "JobRan": _job,
    "KeysAbandoned": _closed,
    "KeysReleased": _closed,
    "KeysRequested": _requested,
    "OutputReleased": _released,
    "OutputReviewed": _reviewed,
    "PermitMoved": _permit,
    "ReleaseMoved": _moved,
    "VersionPublished": _version,
    "VoteCast": _vote,
}
PLAIN_KINDS = {
    "Arrived",
    "CatalogueImported",
    "DatasetPseudonymised",
    "DeliveryChecked",
    "DeliveryReceived",
    "Departed",
    "DrillRan",
    "PartitionsCreated",
}


def _take(story: Story, entry: bytes) -> None:
    """Take one more entry into the story, or say what is wrong with it."""
    index = len(story.events)
    try:
        event = _parse(entry, what="it")
        if not re.fullmatch("[0-9a-f]{32}", event["event_id"]) or event["v"] != 1:
            raise Fault("it is not an event of version 1")
        if event["event_id"] in story.ids:
            raise Fault("its id was used before")
        if index == 0 and event["kind"] != "HubOpened":
            raise Fault("the log does not begin with its opening")
        for name in ("rows", "rows_accepted", "rows_set_aside"):
            if event.get(name, 0) % COUNT_ROUNDING:
                raise Fault("a count about people is not rounded")
        if rule := RULES.get(event["kind"]):
            rule(story, event)
        elif event["kind"] not in PLAIN_KINDS:
            story.unknown += 1
    except Fault as fault:
        raise Fault(f"Entry {index} is not right: {fault}".rstrip(".") + ".") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Fault(f"Entry {index} is not right: its fields are not those of its kind.") from None
    story.ids.add(event["event_id"])
    story.events.append(event)


def _log_keys(story: Story, *, trust: Trust) -> list[tuple[int, bytes]]:
    """Work out who signs heads, by size: the hub's key, then each signed handover's."""
    keys = [(0, trust.hub)]
    for index, event in story.handovers:
        what = f"The handover in entry {index}"
        statement = _open_envelope(event["statement"], key=trust.controller, what=what)
        said = {"from_size": index + 2, "log_key": event["log_key"]}
        of_this_log = statement.get("subject", [{}])[0].get("name") == f"{trust.origin}#log-key"
        kind = statement.get("predicateType")
        if (statement.get("predicate"), kind) != (said, "havre/v1/handover") or not of_this_log:
            raise Fault(f"{what} is signed for another key, another place or another log.")
        keys.append((index + 2, bytes.fromhex(event["log_key"])))
    return keys


def _open_envelope(encoded: str, *, key: bytes, what: str) -> dict[str, Any]:
    """Open a DSSE envelope of which every signature must be by one key."""
    statement, keys = _open_signed(_decode(encoded, what=what), what=what)
    if keys != [key]:
        raise Fault(f"{what} is not signed by the controller.")
    return statement


def _open_signed(document: bytes, *, what: str) -> tuple[dict[str, Any], list[bytes]]:
    """Open a DSSE envelope, every signature verified; return the statement and the keys."""
    envelope = _parse(document, what=what)
    try:
        payload = _decode(envelope["payload"], what=what)
        kind = str(envelope["payloadType"]).encode()
        signed = [(_key(each["keyid"]), each["sig"]) for each in envelope["signatures"]]
    except (KeyError, TypeError, ValueError):
        raise Fault(f"{what} carries no signed statement.") from None
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    if not all(_signed_by(key, _decode(each, what=what), message) for key, each in signed):
        raise Fault(f"{what} has a signature that does not verify.")
    keys = [key for key, _ in signed]
    if not keys or len(set(keys)) != len(keys):
        raise Fault(f"{what} is signed by nobody, or by somebody twice.")
    return _parse(payload, what=what), keys


# ---------------------------------------------------------------- files beside the log


# Who must have signed what a permit's new state rests on, and how many of different operators.
PERMIT_SIGNERS = {
    "submitted": ("havre/v1/permit-application", "researcher", 1),
    "assessment": ("havre/v1/permit", "authority", 1),
    "granted": ("havre/v1/permit", "authority", 2),
    "refused": ("havre/v1/permit-decision", "authority", 1),
    "suspended": ("havre/v1/permit-decision", "authority", 1),
    "revoked": ("havre/v1/permit-decision", "authority", 1),
}


def _check_permits(folder: Path, story: Story, *, trust: Trust | None) -> int:
    """Compare every published statement with the hash on the log; return how many there are.

    With trust roots, also who signed it: a permit is what two authorities have signed.
    """
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir())
    by_path = {
        f"{event['permit']}/{index}.json": event for index, event in story.permit_moves.items()
    }
    for path in paths:
        name = path.relative_to(folder).as_posix()
        what = f"register/permits/{name}"
        document = _read(path, limit_bytes=MAX_DOCUMENT_BYTES, what=what)
        event = by_path.get(name)
        if event is None or hashlib.sha256(document).hexdigest() != event["statement_sha256"]:
            raise Fault(f"{what} is not the statement that the log names.")
        if trust is not None:
            _check_permit_signers(document, event, trust=trust, what=what)
    return len(paths)


def _check_permit_signers(document: bytes, event: Event, *, trust: Trust, what: str) -> None:
    statement, keys = _open_signed(document, what=what)
    ids = sorted(hashlib.sha256(key).hexdigest() for key in keys)
    if ids != sorted(event["signers"]) or not set(ids) <= set(trust.parties):
        raise Fault(f"{what} is signed by others than the log and the trust roots name.")
    signers = [trust.parties[each] for each in ids]
    applicant, people = _read_permit(statement, event, origin=trust.origin, what=what)
    _, role, needed = PERMIT_SIGNERS[event["state"]]
    if len({party.operator for party in signers if party.role == role}) < needed:
        raise Fault(f"{what} lacks a signature: {needed} of role {role} are needed.")
    if event["state"] == "submitted" and [party.name for party in signers] != [applicant]:
        raise Fault(f"{what} is not signed by its applicant alone.")
    houses = {party.operator for party in trust.parties.values() if party.name in people}
    if role == "authority" and houses & {party.operator for party in signers}:
        raise Fault(f"{what} is signed by the applicant's own house.")


def _read_permit(
    statement: dict[str, Any], event: Event, *, origin: str, what: str
) -> tuple[str, set[str]]:
    """Read who applies and everybody concerned, from a statement that says what the log says."""
    try:
        kind = PERMIT_SIGNERS[event["state"]][0]
        subject = statement["subject"][0]["name"]
        said, text = statement["predicateType"], statement["predicate"]
        decision = kind.endswith("-decision")
        state = text["state"] if decision else event["state"]
        applicant, people = ("", []) if decision else (text["applicant"], text["people"])
    except (KeyError, IndexError, TypeError):
        raise Fault(f"{what} does not say what its entry on the log says.") from None
    if (said, subject, state) != (kind, f"{origin}#{event['permit']}", event["state"]):
        raise Fault(f"{what} does not say what its entry on the log says.")
    return applicant, {applicant, *people}


def _check_roles(story: Story, *, trust: Trust) -> None:
    """Make sure that whoever the log says has voted or delivered is one who may."""
    for index, event in enumerate(story.events):
        acting = {"VoteCast": ("checker", "checker"), "DeliveryReceived": ("holder", "holder")}
        if event["kind"] in acting:
            field_name, role = acting[event["kind"]]
            party = trust.parties.get(event[field_name])
            if party is None or party.role != role:
                raise Fault(f"Entry {index} is not right: its {role} is none of the trust roots.")
        if event["kind"] == "OutputReviewed" and event["decision"] == "approved":
            approving = [key for key, vote in event["votes"].items() if vote == "approve"]
            if len({trust.parties[key].operator for key in approving}) < 2:
                raise Fault(f"Entry {index} is not right: one house alone approved.")


def _check_releases(folder: Path, story: Story) -> int:
    """Compare every released file with the hash on the log; pages in HTML are not ours to judge."""
    checked = 0
    for path in sorted(folder.rglob("*")):
        request, _, name = path.relative_to(folder).as_posix().partition("/")
        if path.is_dir() or path.suffix == ".html":
            continue
        what = f"releases/{request}/{name}"
        event = story.releases.get(request)
        if event is None:
            raise Fault(f"{what} belongs to no release on the log.")
        if _sha256_of(path, what=what) != event["files"].get(name, event["manifest_sha256"]):
            raise Fault(f"{what} is not the file that was released.")
        checked += 1
    return checked


# ---------------------------------------------------------------- the whole


@dataclass
class Report:
    """What was checked, and what was not, in sentences."""

    checked: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    size: int = 0
    root: str = ""


def _read_story(log: LogFolder, head: Head, *, seen: Head | None) -> Story:
    """Read every entry, rebuild the tree, and compare it with both heads."""
    story, tree, leaves = Story(head.origin), Tree(), []
    roots = {0: tree.root()}
    for number in range(-(-head.size // WIDTH)):
        for entry in _bundle(log, number, size=head.size):
            _take(story, entry)
            leaves.append(_leaf(entry))
            tree.add(leaves[-1])
            if seen is not None and len(leaves) == seen.size:
                roots[seen.size] = tree.root()
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
    began_with = story.events[0]["trust_sha256"] if story.events else trust.sha256
    if began_with != trust.sha256:
        report.checked.append("note: these trust roots are not those the log began with")
    return times


def verify(site: Path, *, options: argparse.Namespace, now: int) -> Report:
    """Check a site folder as far as the options allow.

    now: seconds since 1970 by the reader's own clock.

    Raises:
        Fault: the first thing that is not what it claims.
    """
    report, folder = Report(), site / "log"
    head = _parse_head(
        _read(folder / "checkpoint", limit_bytes=MAX_NOTE_BYTES, what="log/checkpoint"),
        what="log/checkpoint",
    )
    report.size, report.root = head.size, head.root.hex()
    seen = trust = None
    if options.seen:
        note = _read(options.seen, limit_bytes=MAX_NOTE_BYTES, what="The head seen earlier")
        seen = _parse_head(note, what="The head seen earlier")
    log = LogFolder(folder)
    log.survey()
    story = _read_story(log, head, seen=seen)
    report.checked.append(f"{head.size} entries and {log.files} tile files under one root")
    report.checked.append("every entry refers to what was there before it")
    if options.trust:
        document = _read(options.trust, limit_bytes=MAX_DOCUMENT_BYTES, what="The trust-root file")
        trust = _parse_trust(document)
        times = _check_who(head, story, report, trust=trust, seen=seen)
    else:
        report.not_checked.append("authenticity (who signed): give --trust FILE, from elsewhere")
    if seen is not None:
        report.checked.append(f"it continues the head of {seen.size} entries seen earlier")
    if trust is not None and options.max_age is not None:
        age_s = _check_age(times, trust=trust, max_age_s=options.max_age, now=now)
        report.checked.append(f"cosigned by enough witnesses {max(0, age_s)} seconds ago")
    elif seen is None:
        report.not_checked.append("freshness (is it an old copy): give --max-age or --seen")
    _check_beside(site, story, report, trust=trust)
    for count, what in ((log.ahead, "files past the checkpoint"), (story.unknown, "unknown kinds")):
        if count:
            report.not_checked.append(f"{what}: {count}")
    if log.strange:
        report.not_checked.append(f"files in log/ that are no part of a log: {len(log.strange)}")
    return report


def _check_beside(site: Path, story: Story, report: Report, *, trust: Trust | None) -> None:
    permits = _check_permits(site / "register" / "permits", story, trust=trust)
    files = _check_releases(site / "releases", story)
    report.checked.append(f"{permits} permit statements and {files} released files against the log")
    if trust is not None:
        _check_roles(story, trust=trust)
        report.checked.append("permits by the signatures of those who may grant, votes by checkers")
    if missing := len(story.permit_moves) - permits:
        report.not_checked.append(f"permit statements that are not beside the log: {missing}")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify_log.py", description="Verify a hub's public record offline."
    )
    parser.add_argument("site", type=Path, metavar="DIR", help="a published site, with log/ in it")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="trust roots, from elsewhere")
    parser.add_argument("--max-age", type=int, metavar="SECONDS", help="oldest head accepted")
    parser.add_argument("--seen", type=Path, metavar="FILE", help="a checkpoint seen earlier")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _print(report: Report, fault: str | None, *, as_json: bool) -> None:
    verdict = "not genuine" if fault else "genuine as far as checked"
    if as_json:
        print(json.dumps({"verdict": verdict, "fault": fault, **vars(report)}, sort_keys=True))
        return
    for line in report.checked:
        print(f"checked      {line}")
    for line in report.not_checked:
        print(f"NOT CHECKED  {line}")
    print(f"{verdict.upper()}: {fault}" if fault else verdict.upper())


def main() -> int:
    parser = _arguments()
    options = parser.parse_args()
    if not options.site.is_dir():
        parser.error("DIR is not a folder")
    if options.max_age is not None and (options.trust is None or options.max_age < 0):
        parser.error("--max-age needs --trust, and is not negative")
    for given in (options.trust, options.seen):
        if given is not None and not given.is_file():
            parser.error(f"{given} is not a file")
    try:
        report = verify(options.site, options=options, now=int(time.time()))
    except Fault as fault:
        _print(Report(), str(fault), as_json=options.json)
        return EXIT_NOT_GENUINE
    _print(report, None, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
