"""A custodian's copy of the log, kept by its own process and asked over a channel: both sides."""

from __future__ import annotations

from collections.abc import Sequence

from havre.adapters.log.mirror import MirrorFolder
from havre.domain.trust import Role
from havre.errors import NotFound, Unavailable
from havre.formats.canonical import encode_canonical
from havre.formats.wire import MAX_MESSAGE_BYTES, Message, said_by, to_base64
from havre.ports.channel import Act, Channel, Desk

_HUB = frozenset({Role.HUB})
# What one answer holds of a copy: well below what a message may hold.
_MOST_ENTRIES = 4096
_MOST_ENTRY_BYTES = 8 * 1024 * 1024


class RemoteMirror:
    """`ports.log.LogMirror` behind a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def name(self) -> str:
        """The short name of the party that keeps it."""
        return self._channel.name

    def held(self) -> int:
        """Ask how many entries it keeps."""
        said = self._channel.call("mirror-held", encode_canonical({}))
        with said_by(self.name):
            return Message(said, "held").number("held")

    def extend(self, start: int, entries: Sequence[bytes], *, note: bytes) -> None:
        """Offer it entries."""
        asked = encode_canonical(
            {
                "entries": [to_base64(entry) for entry in entries],
                "note": to_base64(note),
                "start": start,
            }
        )
        if len(asked) > MAX_MESSAGE_BYTES:
            raise Unavailable(
                f"{self.name} is {len(entries)} entries behind: more than one message carries.",
                hint="It follows the log by itself; run the command again later.",
            )
        said = self._channel.call("mirror-extend", asked)
        with said_by(self.name):
            Message(said)

    def newest_note(self) -> bytes:
        """Ask for the newest checkpoint it took entries under."""
        said = self._channel.call("mirror-note", encode_canonical({}))
        with said_by(self.name):
            return Message(said, "note").binary("note")

    def entries(self, start: int, end: int) -> list[bytes]:
        """Ask for entries of its copy, as many messages as it takes."""
        found: list[bytes] = []
        while len(found) < end - start:
            asked = encode_canonical({"end": end, "start": start + len(found)})
            said = self._channel.call("mirror-entries", asked)
            with said_by(self.name):
                more = Message(said, "entries").binaries("entries")
            if not more:
                raise NotFound(f"The copy of {self.name} does not have every entry.")
            found += more
        return found[: end - start]


class MirrorDesk:
    """What the service of a party that keeps a copy answers about it."""

    def __init__(self, mirror: MirrorFolder) -> None:
        self._mirror = mirror

    @property
    def acts(self) -> Desk:
        """Everything that can be asked, and by whom."""
        return {
            "mirror-held": Act(self._held, _HUB),
            "mirror-extend": Act(self._extend, _HUB),
            "mirror-note": Act(self._note, _HUB),
            "mirror-entries": Act(self._entries, frozenset(Role)),
        }

    def _held(self, body: bytes) -> bytes:
        Message(body)
        return encode_canonical({"held": self._mirror.held()})

    def _extend(self, body: bytes) -> bytes:
        message = Message(body, "entries", "note", "start")
        self._mirror.extend(
            message.number("start"), message.binaries("entries"), note=message.binary("note")
        )
        return encode_canonical({})

    def _entries(self, body: bytes) -> bytes:
        """Give as many of the entries that are asked for as one message carries well."""
        message = Message(body, "end", "start")
        start = max(0, message.number("start"))
        end = min(message.number("end"), self._mirror.held(), start + _MOST_ENTRIES)
        given: list[str] = []
        size = 0
        for entry in self._mirror.entries(start, end) if end > start else []:
            size += len(entry)
            if given and size > _MOST_ENTRY_BYTES:
                break
            given.append(to_base64(entry))
        return encode_canonical({"entries": [*given]})

    def _note(self, body: bytes) -> bytes:
        Message(body)
        return encode_canonical({"note": to_base64(self._mirror.newest_note())})
