"""What one line of a page says of an entry or a party; never more than the log says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from havre.adapters.pages.words import word
from havre.domain.clock_events import NoticeGiven, ProjectDeleted
from havre.domain.events import (
    CatalogueImported,
    CopiesCounted,
    Departed,
    DrillRan,
    Event,
    ExtractMade,
    HubOpened,
    JobRan,
    KeysAbandoned,
    KeysReleased,
    KeysRequested,
    PartitionsCreated,
    PermitMoved,
    ReleaseMoved,
    VersionPublished,
)
from havre.domain.key_events import (
    ErasureOrdered,
    KeysErased,
    OldSharesErased,
    PartitionsReshared,
    ResharingOrdered,
)
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.register import Register
from havre.domain.trust import THIS_MACHINE, TrustRoots

# A key id that is in nobody's roots is shown by its beginning: enough to look it up.
_SHOWN_KEY_CHARACTERS = 16
_NUMBER = re.compile(r"[<≥≤>]?\s?[-+]?\d[\d\s.,]*%?")
_OPAQUE = re.compile("[0-9a-f]{32}")
_NAMED = ("delivery", "request", "dataset")


class Teller:
    """Says things in one language."""

    def __init__(self, language: str, *, register: Register, roots: TrustRoots) -> None:
        self._language = language
        self._register = register
        self._parties = {party.key_id: party for party in roots.parties}

    def say(self, key: str, *values: object) -> str:
        """Say one sentence of `words`."""
        return word(key, self._language, *values)

    def number(self, value: int) -> str:
        """Write a count with the language's own thousands."""
        return f"{value:,}".replace(",", "\u202f" if self._language == "fr" else ",")

    def who(self, key: str) -> str:
        """Name whoever signs with a key, and who runs it; a key in no roots by its beginning."""
        party = self._parties.get(key)
        if party is None:
            return f"{key[:_SHOWN_KEY_CHARACTERS]}…"
        if party.operator == f"{party.name} {THIS_MACHINE}":
            return self.say("this_machine", party.name)
        return self.say("operator", party.name, party.operator)

    def names(self, keys: Iterable[str]) -> list[str]:
        """Name several, in order of name."""
        return sorted(map(self.who, keys))

    def act(self, index: int, event: Event) -> str:
        """Say what happened at an entry, and what state it led to."""
        after = ""
        if isinstance(event, PermitMoved):
            after = self.say(event.state)
        elif isinstance(event, ReleaseMoved):
            after = self.move(index, event)
        elif isinstance(event, JobRan):
            after = self.say(f"job-{event.outcome}")
        return " · ".join(filter(None, (self.say(event.kind), after)))

    def move(self, index: int, event: ReleaseMoved) -> str:
        """Say where a release request went; the machine's own refusal is told apart."""
        if index in self._register.releases[event.request].sent_back_by_machine:
            return self.say("by_machine")
        return self.say(f"request-{event.state}")

    def about(self, event: Event) -> str:
        """Say what an entry is about, besides the permit that it belongs to."""
        for kind, tell in self._tales().items():
            if isinstance(event, kind):
                return tell(event)
        named = (getattr(event, name, None) for name in _NAMED)
        return next((self.say(each) for each in named if isinstance(each, str)), "")

    def _tales(self) -> dict[type[Event], Callable[..., str]]:
        say, number = self.say, self.number
        return {
            HubOpened: lambda event: event.origin,
            PartitionsCreated: lambda event: say("key_pairs", number(len(event.public_keys))),
            CatalogueImported: lambda event: say("catalogue_tables", number(event.tables)),
            VersionPublished: lambda event: f"{event.dataset} · {say('rows', number(event.rows))}",
            KeysRequested: self._about_request,
            KeysReleased: lambda event: say("asked_at", event.request),
            KeysAbandoned: lambda event: say("asked_at", event.request),
            ResharingOrdered: lambda event: say(
                "holders", event.threshold, len(event.holders), ", ".join(event.holders)
            ),
            PartitionsReshared: lambda event: say("key_pairs", number(len(event.shares))),
            OldSharesErased: lambda event: say(
                "attested_by", ", ".join(sorted(event.certificates)), event.order
            ),
            ErasureOrdered: lambda event: " · ".join(
                (
                    say(f"erasure-{event.ground}", event.permit),
                    say("key_pairs", number(len(event.partitions))),
                )
            ),
            KeysErased: lambda event: say(
                "attested_by", ", ".join(sorted(event.certificates)), event.order
            ),
            ExtractMade: lambda event: say("rows", number(event.rows)),
            DrillRan: lambda event: (
                f"{say(f'drill-{event.drill}')} · {say(f'drill-{event.verdict}')}"
            ),
            JobRan: lambda event: event.job,
            Departed: lambda event: event.departure,
            CopiesCounted: self._about_copies,
            NoticeGiven: self._about_notice,
            ProjectDeleted: lambda event: say("deleted-by", event.erased),
            OppositionsUpdated: lambda event: say(
                "register_version", event.register, event.version
            ),
        }

    def _about_copies(self, event: CopiesCounted) -> str:
        told = [
            self.say("copies_lacking", name, self.number(lacking))
            for name, lacking in sorted(event.lacking.items())
        ]
        return " · ".join([self.say(f"copies-{event.occasion}"), *told])

    def _about_notice(self, event: NoticeGiven) -> str:
        told = ", ".join(self.say(f"told-{role}") for role in event.to)
        # An opaque name, of a partition or of an order, says nothing to a reader.
        named = "" if _OPAQUE.fullmatch(event.about) else event.about
        day = event.due_at.strftime("%Y-%m-%d")
        parts = (
            self.say(f"term-{event.term}"),
            named,
            self.say(f"notice-{event.stage}", day),
            self.say("notice-to", told),
        )
        return " · ".join(filter(None, parts))

    def _about_request(self, event: KeysRequested) -> str:
        purpose, deliveries = self.say(event.purpose), event.deliveries
        if not deliveries:
            return purpose
        if len(deliveries) == 1:
            received = self._register.timeline[deliveries[0]][1]
            return f"{purpose} · {self.about(received)}"
        return f"{purpose} · {self.say('deliveries', self.number(len(deliveries)))}"


def show_moment(moment: datetime | None) -> str:
    """Write a moment to the minute, UTC; nothing when there is none."""
    return moment.strftime("%Y-%m-%d %H:%M") if moment else ""


def number_columns(rows: Sequence[Sequence[str]]) -> frozenset[int]:
    """Find the columns that hold numbers and nothing else, to be set to the right.

    rows: the header first; an empty cell says nothing either way.

    >>> sorted(number_columns([["region", "cases"], ["Bretagne", "1 200"], ["Corse", "<11"]]))
    [1]
    """
    if len(rows) < 2:
        return frozenset()
    columns = range(len(rows[0]))
    cells = {at: [row[at] for row in rows[1:] if at < len(row) and row[at]] for at in columns}
    return frozenset(at for at in columns if cells[at] and all(map(_NUMBER.fullmatch, cells[at])))
