"""At the holder: which deliveries are still to be made, and each to a landing place of its own.

One that is held does not stop the others, and one that is there already is no fault, so
that the same command can be run again after a mended file, a crash or a full disk. Two
processes at once never take the same delivery or the same place: both are claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from havre.application.audit import PublicLog
from havre.application.deliver import HolderDesk, SealingProgress
from havre.application.landing_places import LandingPlaces, find_posted, note_of
from havre.application.resume import SealedBefore
from havre.application.vault.sealing import WritePlace
from havre.domain.announcement import Announcement, check_found, content_digest, parse_announcement
from havre.domain.correcting import find_received
from havre.domain.delivery_note import DeliveryNote
from havre.domain.events import DeliveryReceived, events_of
from havre.domain.handover import check_stays
from havre.domain.shown import show_file
from havre.errors import HavreError, InvalidInput, Refused, Unavailable
from havre.ports.inbox import Inbox, SentDeliveries, SentDelivery
from havre.ports.sources import DeliveryFolder
from havre.values import Digest


class Fate(StrEnum):
    """What became of a delivery."""

    SEALED = "sealed"
    THERE = "there already"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Dispatched:
    """One delivery, after it was tried.

    note: what was signed, now or then; null when it is held.
    fault: why it is held, or null.
    """

    name: str
    fate: Fate
    note: DeliveryNote | None = None
    fault: HavreError | None = None


class Dispatch:
    """Sends one holder's deliveries to one hub."""

    def __init__(
        self,
        *,
        desk: HolderDesk,
        inbox: Inbox,
        sent: SentDeliveries,
        log: PublicLog,
        before: Callable[[str], SealedBefore],
        places: Sequence[WritePlace],
    ) -> None:
        """Work for one hub.

        before: what attempts that were cut short have sealed of a delivery of this name.
        places: every landing partition of the hub, used or not.
        """
        self._desk = desk
        self._inbox = inbox
        self._sent = sent
        self._log = log
        self._before = before
        self._landings = LandingPlaces(inbox=inbox, log=log, places=places)

    def send(
        self,
        folder: DeliveryFolder,
        *,
        name: str,
        leave: AbstractSet[str] = frozenset(),
        progress: Callable[[SealingProgress], None],
    ) -> Dispatched:
        """Seal and post a delivery, unless it is there already; a refusal comes back as a value.

        name: of the folder, which is the delivery's.
        leave: columns too many that stay behind.
        progress: told before each delivery, and as its files are read.
        """
        try:
            announced = parse_announcement(folder.announcement(), beside=folder.beside)
            if announced.name != name:
                raise InvalidInput(
                    f"The folder {show_file(name)} announces a delivery of another name.",
                    hint="Give the folder the delivery's name.",
                )
            with self._inbox.claim(name) as is_ours:
                if not is_ours:
                    raise Unavailable(
                        f"Another process is sealing delivery {name}.",
                        hint="Wait for it, or end it; then run the same command again.",
                    )
                progress(SealingProgress(name))
                if earlier := self._find_earlier(announced):
                    check_found(announced, folder.list_files())
                    # It may have been posted by a process that ended right then.
                    self._before(name).forget()
                    return Dispatched(name, Fate.THERE, earlier)
                note = self._made(folder, announced, leave, progress)
                return Dispatched(name, Fate.SEALED, note)
        except HavreError as fault:
            return Dispatched(show_file(name), Fate.HELD, fault=fault)

    def _made(
        self,
        folder: DeliveryFolder,
        announced: Announcement,
        leave: AbstractSet[str],
        progress: Callable[[SealingProgress], None],
    ) -> DeliveryNote:
        self._check_stays()
        self._check_corrects(announced)
        self._check_new(announced)
        before = self._before(announced.name)
        with self._landings.free(rather=before.landing) as place:
            prepared = self._desk.prepare(
                folder, before=before, place=place, leave=leave, progress=progress
            )
            sent = SentDelivery(content_digest(announced), prepared.envelope)
            # Remembered first: were it posted first, a crash between would leave a delivery
            # that its own holder does not know again.
            self._sent.keep(announced.name, sent)
            # Once more: what is posted after the hub was packed would be left behind.
            self._check_stays()
            self._inbox.post(announced.name, prepared.envelope)
        before.forget()
        return prepared.note

    def _check_corrects(self, announced: Announcement) -> None:
        """Refuse, before anything is sealed, to correct what the hub's log does not know as ours."""
        if announced.corrects is None:
            return
        events = [logged.event for logged in self._log.entries()]
        found = find_received(events, announced.corrects)
        if found is None or found[1].holder != self._desk.key_id:
            raise Refused(
                f"The hub has taken no delivery {announced.corrects} of this holder in.",
                hint="`corrects` names an earlier delivery of this holder, as the hub's log has it.",
            )

    def _check_new(self, announced: Announcement) -> None:
        """Refuse to deliver the very same files once more under another name: each row would count twice.

        Keys are compared with those of one ingest, not with versions before.
        """
        if announced.corrects is not None:
            return
        events = [logged.event for logged in self._log.entries()]
        there = {each.delivery for each in events_of(events, DeliveryReceived)}
        for name in self._sent.names():
            twin = content_digest(replace(announced, name=name))
            if self._is_sent(name, twin) and (name in there or find_posted(self._inbox, name)):
                raise Refused(
                    f"Delivery {name} has the very same files, and the hub has it.",
                    hint="There is nothing to deliver. If that one was held, announce this one"
                    f' with `corrects = "{name}"`.',
                )

    def _is_sent(self, name: str, content: Digest) -> bool:
        """Whether this is what is remembered under a name; what cannot be read is nobody's twin."""
        try:
            sent = self._sent.find(name)
        except InvalidInput:
            return False
        return sent is not None and sent.content == content

    def _check_stays(self) -> None:
        check_stays([logged.event for logged in self._log.entries()])

    def _find_earlier(self, announced: Announcement) -> DeliveryNote | None:
        """Find this very delivery among those that wait or were taken in.

        Raises:
            Refused: another one has its name.
        """
        name = announced.name
        # The inbox first: what is taken in meanwhile is on the log before it leaves the inbox.
        waiting = find_posted(self._inbox, name)
        events = [logged.event for logged in self._log.entries()]
        taken_in = [e for e in events_of(events, DeliveryReceived) if e.delivery == name]
        if waiting is None and not taken_in:
            return None
        sent = self._sent.find(name)
        if sent is not None and sent.content == content_digest(announced):
            note = note_of(sent.envelope)
            objects = {str(key): str(sha256) for key, sha256 in note.objects.items()}
            if waiting == sent.envelope or any(each.objects == objects for each in taken_in):
                return note
        raise Refused(
            f"Another delivery {name} {'was taken in before' if taken_in else 'waits already'}.",
            hint="Give this one another name: a delivery is never replaced by a later one.",
        )
