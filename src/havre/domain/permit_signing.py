"""Which signatures make a permit: two authorities, and nobody who asked for it.

Used by the hub, by every custodian and by whoever verifies: each with its own
trust roots. What an authority signs says when, and on which entry of the log it
rests: an old grant put on the log again, after a suspension or in place of a
renewal, rests on another entry than the one before it, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from havre.domain.events import PermitMoved
from havre.domain.permit import Permit
from havre.domain.permit_states import PermitState
from havre.domain.permit_text import PREDICATE_PERMIT, parse_permit, permit_predicate
from havre.domain.statements import Opened, open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused
from havre.formats.canonical import Json
from havre.values import instant_text, parse_instant

# Two people who decide, as for outputs: one can be mistaken, or leaned on.
AUTHORITIES_NEEDED = 2


@dataclass(frozen=True, slots=True)
class Ground:
    """When an authority decided, and what it had before it.

    rests_on: index of the permit's entry that was decided about (`rests_on`).
    decided_at: by the authority's own clock; a permit's age counts from here.
    """

    rests_on: int
    decided_at: datetime

    @property
    def fields(self) -> dict[str, Json]:
        """As it stands in a signed predicate."""
        return {"decided_at": instant_text(self.decided_at), "rests_on": self.rests_on}


@dataclass(frozen=True, slots=True)
class SignedPermit:
    """A permit that enough authorities signed, and the ground on which they did."""

    permit: Permit
    ground: Ground
    opened: Opened


class AnotherGround(Refused):
    """A decision was signed about another state of the permit than it is used for."""


class SignedByApplicant(Refused):
    """Whoever asks for a permit does not sign it, nor does anybody of the same house."""


def open_permit(
    envelope: bytes, *, roots: TrustRoots, authorities: int = AUTHORITIES_NEEDED
) -> SignedPermit:
    """Make sure that a permit is signed by those who may, and read it.

    authorities: how many must have signed; fewer only while signatures are gathered.

    Raises:
        SignedByApplicant: a signer is the applicant, or of the applicant's operator.
        Refused: a permit for upkeep that others ask for than the controller, or for others
            than the hub.
        MissingSignature: too few authorities.
        NotFound: the applicant, or somebody the permit names, is in no trust root.
        NotGenuine, InvalidInput: the envelope or the text is amiss.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_PERMIT,
        origin=roots.origin,
        required={Role.AUTHORITY: authorities},
    )
    text = dict(opened.statement.predicate)
    ground = parse_ground(text)
    permit = parse_permit({name: text[name] for name in text if name not in ground.fields})
    if opened.statement.subject != permit.name:
        raise NotGenuine("A permit's statement is about another permit than its text.")
    operators = {party.name: party.operator for party in roots.parties}
    if unknown := sorted({permit.applicant, *permit.people} - set(operators)):
        raise NotFound(
            f"Permit {permit.name} names people who are not in the trust roots:"
            f" {', '.join(unknown)}.",
            hint="Nobody can tell whether such a person's own house signed it.",
        )
    if faults := list(upkeep_party_faults(permit, roots)):
        raise Refused(f"Permit {permit.name} is no permit: {'; '.join(faults)}.")
    houses = {operators[name] for name in (permit.applicant, *permit.people)}
    if any(signer.operator in houses for signer in opened.signers):
        raise SignedByApplicant(
            f"Permit {permit.name} is signed by the applicant's own house.",
            hint="Ask an authority that has no part in the project.",
        )
    return SignedPermit(permit, ground, opened)


def upkeep_party_faults(permit: Permit, roots: TrustRoots) -> Iterator[str]:
    """Name what is amiss with the parties of a permit for upkeep; nothing of another.

    The controller answers for the data, and the hub is what has the keys: so neither
    the controller's house nor the hub's signs.
    """
    if permit.upkeep is None:
        return
    if permit.applicant not in {party.name for party in roots.with_role(Role.CONTROLLER)}:
        yield f"upkeep is asked for by the controller, and {permit.applicant} is none"
    if set(permit.people) != {party.name for party in roots.with_role(Role.HUB)}:
        yield "upkeep is done by the hub, and its people are others"


def grant_predicate(permit: Permit, ground: Ground) -> dict[str, Json]:
    """Spell what authorities sign: the permit's text, and their ground."""
    return {**permit_predicate(permit), **ground.fields}


def parse_ground(predicate: Mapping[str, Json]) -> Ground:
    """Read the ground of a signed decision.

    Raises:
        InvalidInput: it does not say when, or what it rests on.
    """
    rests_on, decided_at = predicate.get("rests_on"), predicate.get("decided_at")
    if type(rests_on) is not int or rests_on < 0 or not isinstance(decided_at, str):
        raise InvalidInput("A decision does not say when it was made, and what it rests on.")
    return Ground(rests_on, parse_instant(decided_at))


def rests_on(moves: Sequence[tuple[int, PermitMoved]]) -> int:
    """Find the entry that a decision about a permit rests on, as things stand.

    moves: index and event of the permit's entries, at least one, in order.

    It is the last entry; of two signatures that are gathered one after the other,
    the entry before the first one's, for they are under one text.
    """
    index, last = moves[-1]
    if last.state == PermitState.ASSESSMENT.value and last.predecessor is not None:
        return last.predecessor
    return index


def check_ground(ground: Ground, moves: Sequence[tuple[int, PermitMoved]]) -> None:
    """Make sure that a permit's last entry is what its authorities decided about.

    moves: as for `rests_on`; the last is the one that the decision made.

    Raises:
        AnotherGround: the decision was signed about another state of the permit.
    """
    if len(moves) < 2 or ground.rests_on != rests_on(moves[:-1]):
        raise AnotherGround(
            f"The decision on the log about permit {moves[-1][1].permit} was signed about"
            " another state of it.",
            hint="Only the authorities can decide anew: `havre permit sign`.",
        )
