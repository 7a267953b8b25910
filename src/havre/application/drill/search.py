"""Searching what was seized: canaries in any spelling, clear bytes, keys of this hub.

The hub's own directory is no store: it stands on ground that the controller
trusts, and holds clear records. Of it only the inbox is searched, because what
lies there goes into the store next. A delivery's note is clear there by design
(the hub reads it without any key), and so are a package's public files: they are
counted as such, and searched for canaries and keys like everything else.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache

from havre.application.vault.keys import public_digest_of
from havre.crypto.signatures import SigningKey
from havre.domain.seizure import (
    BLOCK_BYTES,
    CONCLUSIONS,
    NOTE,
    PUBLIC,
    SEED_BYTES,
    Grave,
    Needles,
    Sighting,
    canary_name,
    is_note,
    is_table_file,
    kind_of,
    possible_keys,
    shown_name,
    shrinks,
)
from havre.ports.seizure import SeizedFile, Seizure

HELD = "held"
# The one place that is the hub's own and not its store's host's.
INBOX = "inbox"
_A_KEY = "a key of this hub"


@dataclass(slots=True)
class Search:
    """What an opponent with everything in hand got.

    seized: how many files of which kind in which place.
    sightings: what should not be there; none is the promise.
    clear_by_design: how many files of which kind are clear on purpose, which is no sighting.
    keys_tried: texts that could be keys, each tried against every key of the hub.
    keys_found: SHA-256 of the public halves of those that are.
    """

    size_bytes: int = 0
    canaries: int = 0
    keys_tried: int = 0
    clear_by_design: Counter[str] = field(default_factory=Counter)
    seized: Counter[tuple[str, str]] = field(default_factory=Counter)
    sightings: list[Sighting] = field(default_factory=list)
    keys_found: set[str] = field(default_factory=set)

    @property
    def files(self) -> int:
        """How many files were seized."""
        return self.seized.total()

    @property
    def conclusion(self) -> str:
        """Whether it held, and if not what is the worst that was found."""
        found = {each.grave for each in self.sightings}
        return next((text for grave, text in CONCLUSIONS.items() if grave in found), HELD)

    @property
    def canaries_read(self) -> set[int]:
        """Which canaries were read, by their place among those that were looked for, from 0."""
        read = {each.what for each in self.sightings if each.grave is Grave.CANARY}
        return {number for number in range(self.canaries) if canary_name(number) in read}

    @property
    def found(self) -> dict[str, int]:
        """How many sightings there are of each kind."""
        counted = Counter(each.grave for each in self.sightings)
        return {grave.value: counted[grave] for grave in Grave}


def search_seizure(
    seizure: Seizure,
    *,
    canaries: Sequence[str],
    public_keys: frozenset[str],
    public: AbstractSet[tuple[str, str]] = frozenset(),
) -> Search:
    """Search everything that was seized.

    canaries: texts that are known to be somewhere inside what was sealed.
    public_keys: SHA-256 of every public key of the hub: a seed that leads to one
        of them opens something.
    public: place and name of files that everybody may read.
    """
    result = Search(canaries=len(canaries))
    needles = Needles(canaries)
    for file in seizure.list_files():
        kind = PUBLIC if (file.place, file.name) in public else kind_of(file.name)
        result.seized[file.place, kind] += 1
        result.size_bytes += file.size_bytes
        searched = _Searched(file, shown_name(file.place, file.name, kind=kind))
        found = list(searched.search(seizure, needles=needles, public_keys=public_keys))
        result.keys_tried += searched.keys_tried
        result.keys_found |= searched.keys_found
        if kind == PUBLIC or (
            (file.place, kind) == (INBOX, NOTE) and is_note(b"".join(seizure.read(file)))
        ):
            result.clear_by_design[kind] += 1
            # A text may speak of keys and of tables; only what is one counts here.
            found = [each for each in found if each.grave is Grave.CANARY or each.what == _A_KEY]
        result.sightings += found
    result.sightings = sorted(set(result.sightings), key=lambda each: (each.what, each.file))
    return result


@dataclass(slots=True)
class _Searched:
    """One file, under the name by which it is shown."""

    file: SeizedFile
    shown: str
    keys_tried: int = 0
    keys_found: set[str] = field(default_factory=set)

    def search(
        self, seizure: Seizure, *, needles: Needles, public_keys: frozenset[str]
    ) -> Iterator[Sighting]:
        """Search its name, its content and how even it is."""
        name = self.file.name.encode("utf-8", "surrogateescape")
        for sighting in needles.find(name, file=self.shown):
            yield replace(sighting, spelling=f"{sighting.spelling}, in the file's name")
        head = tail = b""
        for content in _windows(seizure.read(self.file), overlap=needles.longest):
            head, tail = head or content[:8], content[-8:]
            yield from needles.find(content, file=self.shown)
            for seed in possible_keys(content):
                self.keys_tried += 1
                if found := _public_halves(seed) & public_keys:
                    self.keys_found |= found
                    yield Sighting(Grave.KEY, _A_KEY, "as text", self.shown)
        if is_table_file(head=head, tail=tail):
            yield Sighting(Grave.CLEAR, "a clear table file", "as it is", self.shown)
        yield from _uneven(seizure, self.file, self.shown)


def _windows(pieces: Iterable[bytes], *, overlap: int) -> Iterator[bytes]:
    """Join pieces so that nothing is missed where two of them meet."""
    tail = b""
    for piece in pieces:
        yield tail + piece
        tail = (tail + piece)[-overlap:]


def _uneven(seizure: Seizure, file: SeizedFile, shown: str) -> Iterator[Sighting]:
    for piece in seizure.read(file):
        for at in range(0, len(piece), BLOCK_BYTES):
            if shrinks(piece[at : at + BLOCK_BYTES]):
                yield Sighting(
                    Grave.CLEAR, "clear or badly sealed bytes", "less even than ciphertext", shown
                )
                return


# A log has the same hashes in many files, and each could be a seed.
@lru_cache(maxsize=1 << 17)
def _public_halves(seed: bytes) -> AbstractSet[str]:
    """Hash the public keys to which 32 bytes would lead, as a signing key and as a key to seal to."""
    if len(seed) != SEED_BYTES:
        return frozenset()
    signing = hashlib.sha256(SigningKey.from_seed(seed).public).hexdigest()
    return frozenset({signing, public_digest_of(seed)})
