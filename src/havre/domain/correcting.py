"""When one delivery may take another's place, and when what was corrected may be opened once more.

A correction is a delivery that names an earlier one of the same holder and dataset.
Its version has the rows of the new one and no longer those of the old. To say what
changed, the old one's landing partition is opened a second time, under the mandate,
for this correction and no other.

The hub asks `list_faults` before it takes a correction in; a custodian asks
`check_opened_again`, over the log that it followed itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from havre.domain.events import DeliveryChecked, DeliveryReceived, Event, KeysRequested
from havre.errors import Refused

# What a check may end with (`DeliveryChecked.outcome`): in a version, or in none.
ACCEPTED = "accepted"
HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDelivery:
    """A delivery that the hub has received, as far as corrections ask.

    holder: key id of whoever signed it.
    corrects: the delivery that it corrects, or null.
    outcome: of its check, or null while it waits.
    is_recorded: whether the records say which objects it became, or it became none yet.
    is_together: whether compaction has put its rows into one file with those of others.
    """

    delivery: str
    dataset: str
    holder: str
    corrects: str | None
    outcome: str | None
    is_recorded: bool = True
    is_together: bool = False


def list_faults(correction: KnownDelivery, known: Sequence[KnownDelivery]) -> list[str]:
    """Say why a delivery cannot correct the one that it names; nothing when it can.

    correction: one that corrects another. known: every other delivery of the hub.

    >>> a = KnownDelivery(delivery="a", dataset="d", holder="h", corrects=None, outcome="accepted")
    >>> b = KnownDelivery(delivery="b", dataset="d", holder="h", corrects="a", outcome=None)
    >>> c = KnownDelivery(delivery="c", dataset="d", holder="h", corrects="a", outcome=None)
    >>> list_faults(b, [a]), list_faults(c, [a, b])
    ([], ['delivery a was corrected before, by b: the newest one is to be corrected'])
    """
    found = [each for each in known if each.delivery == correction.corrects]
    if not found:
        return [f"it corrects {correction.corrects}, which was never taken in here"]
    (corrected,) = found
    faults: list[str] = []
    if corrected.holder != correction.holder:
        faults.append(f"it corrects {corrected.delivery}, which another holder signed")
    if corrected.dataset != correction.dataset:
        faults.append(f"it corrects {corrected.delivery}, which is of another dataset")
    if not corrected.is_recorded:
        faults.append(f"what became of {corrected.delivery} was not written down at that time")
    if corrected.is_together:
        faults.append(
            f"the rows of {corrected.delivery} were put together with those of other deliveries"
        )
    # A correction that was held took nothing's place: what it was about can be corrected again.
    faults += [
        f"delivery {corrected.delivery} was corrected before, by {each.delivery}:"
        " the newest one is to be corrected"
        for each in known
        if each.corrects == corrected.delivery and each.outcome in (None, ACCEPTED)
    ]
    return faults


def find_received(events: Sequence[Event], delivery: str) -> tuple[int, DeliveryReceived] | None:
    """Find a delivery's first entry, and its index."""
    for index, event in enumerate(events):
        if isinstance(event, DeliveryReceived) and event.delivery == delivery:
            return index, event
    return None


def check_opened_again(events: Sequence[Event], corrected: int, *, by: int) -> None:
    """Refuse to open what was corrected, unless for its one correction.

    events: the log before the request. corrected, by: indexes of the two deliveries' entries.

    Raises:
        Refused: it is another holder's, was not taken in yet, comes later, or was opened
            again for another correction.
    """
    before, after = events[corrected], events[by]
    if not isinstance(before, DeliveryReceived) or not isinstance(after, DeliveryReceived):
        raise Refused("The entry that is named as a delivery's is none.")
    if corrected >= by:
        raise Refused("A correction stands on the log before what it corrects.")
    if before.holder != after.holder:
        raise Refused("A correction is signed by another holder than what it corrects.")
    checked = [
        index
        for index, event in enumerate(events)
        if isinstance(event, DeliveryChecked) and event.delivery == before.delivery
    ]
    if not checked:
        raise Refused("What a correction is about was not taken in yet.")
    again = (
        event
        for event in events[checked[0] :]
        if isinstance(event, KeysRequested) and before.partition in event.partitions
    )
    if any(by not in event.deliveries for event in again):
        raise Refused("What a correction is about was opened again for another one.")
