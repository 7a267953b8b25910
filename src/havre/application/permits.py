"""A permit from application to decision: each act a signed statement, each move on the log.

The applicant signs what is asked for; authorities sign the same text; the
applicant's signature never counts. Nothing here opens a key: custodians read
the log and the signed text themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from havre.application.audit import PublicLog
from havre.application.journal import Journal, taken_alone
from havre.crypto.random import new_object_id
from havre.domain.events import PermitMoved
from havre.domain.permit import Permit, project_secret
from havre.domain.permit_check import complete_permit
from havre.domain.permit_signing import (
    AUTHORITIES_NEEDED,
    AnotherGround,
    Ground,
    grant_predicate,
    open_permit,
    rests_on,
)
from havre.domain.permit_states import PermitState, check_move, replay_permit
from havre.domain.permit_text import (
    PREDICATE_PERMIT,
    parse_application,
    parse_permit,
    permit_predicate,
)
from havre.domain.schema import Catalogue
from havre.domain.statements import (
    Opened,
    Statement,
    WrongContext,
    merge_signatures,
    open_statement,
    sign_statement,
)
from havre.domain.trust import Role, TrustRoots
from havre.domain.withdrawal import PREDICATE_DECISION, open_withdrawal
from havre.errors import InvalidInput, NotFound, Refused
from havre.formats.statements import parse_envelope, parse_statement
from havre.ports.clock import Clock
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import MAX_NAME_CHARACTERS, Digest

PREDICATE_APPLICATION = "havre/v1/permit-application"
KIND_PERMIT = "permit"
KIND_SIGNATURE = "permit-signature"
# A first signature that is older says too little about today: they begin anew.
_GATHERING_DAYS = 30


@dataclass(frozen=True, slots=True)
class PermitStanding:
    """Where a permit stands, by the log.

    index: of its last entry.
    envelope: the signed statement that this entry rests on.
    """

    permit: Permit
    state: PermitState
    index: int
    signers: tuple[str, ...]
    envelope: bytes


class Permits:
    """Takes applications and decisions, and tells where each permit stands."""

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        catalogue: Catalogue,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._log = log
        self._records = records
        self._catalogue = catalogue
        self._roots = roots
        self._clock = clock

    @taken_alone
    def ask(self, document: bytes, *, applicant: Token) -> PermitStanding:
        """Put an application on the log.

        document: TOML as in docs/permits.md.

        Raises:
            InvalidInput: the text cannot be read.
            PermitFaults: it asks for what does not exist; every fault is named.
            Refused: the name is taken, or somebody else than the applicant signs.
        """
        application = parse_application(document)
        check_room_for_secret(application.name)
        permit = complete_permit(
            application,
            catalogue=self._catalogue,
            roots=self._roots,
            today=self._clock.now().date(),
        )
        if self._entries(permit.name):
            raise Refused(f"There is a permit {permit.name} already.", hint="Choose another name.")
        statement = Statement(
            PREDICATE_APPLICATION, self._roots.origin, permit.name, permit_predicate(permit)
        )
        envelope = sign_statement(statement, [applicant])
        opened = self._open(envelope, PREDICATE_APPLICATION, {_applicant_role(permit): 1})
        if [party.name for party in opened.signers] != [permit.applicant]:
            raise Refused("An application is signed by its applicant and nobody else.")
        self._move(permit, PermitState.SUBMITTED, envelope, opened)
        return self.standing(permit.name)

    @taken_alone
    def sign(self, name: str, *, authority: Token) -> PermitStanding:
        """Sign a permit's text as an authority; the second signature grants it.

        Raises:
            NotFound: nobody asked for this permit.
            Refused: the permit cannot be granted from where it stands, or the
                signer is no authority, or has signed already.
        """
        # A first signature of two is kept without an entry: not at a hub that has left.
        self._journal.check_ours()
        standing = self.standing(name)
        envelope = self._signed(standing, authority)
        opened = open_permit(envelope, roots=self._roots, authorities=1).opened
        if len(opened.signers) >= AUTHORITIES_NEEDED:
            check_move(standing.state, PermitState.GRANTED)
            self._move(standing.permit, PermitState.GRANTED, envelope, opened)
            self._records.forget_document(KIND_SIGNATURE, name)
        elif standing.state is PermitState.SUBMITTED:
            check_move(standing.state, PermitState.ASSESSMENT)
            self._move(standing.permit, PermitState.ASSESSMENT, envelope, opened)
        else:
            # A renewal: the log moves once, when the second signature is there.
            check_move(standing.state, PermitState.GRANTED)
            self._records.commit([], [Document(KIND_SIGNATURE, name, envelope)])
        return self.standing(name)

    @taken_alone
    def decide(
        self, name: str, state: PermitState, *, authority: Token, reason: str
    ) -> PermitStanding:
        """Refuse, suspend or revoke a permit; one authority is enough to close a door.

        Raises:
            NotFound: nobody asked for this permit.
            Refused: it cannot go there from where it stands, or the signer is
                no authority.
        """
        if state not in (PermitState.REFUSED, PermitState.SUSPENDED, PermitState.REVOKED):
            raise Refused("A decision is to refuse, to suspend or to revoke.")
        standing = self.standing(name)
        check_move(standing.state, state)
        statement = Statement(
            PREDICATE_DECISION,
            self._roots.origin,
            name,
            {"reason": reason, "state": state.value, **self._ground(name).fields},
        )
        envelope = sign_statement(statement, [authority])
        opened = self._open(envelope, PREDICATE_DECISION, {Role.AUTHORITY: 1})
        self._move(standing.permit, state, envelope, opened)
        return self.standing(name)

    @taken_alone
    def take_decision(self, envelope: bytes) -> PermitStanding:
        """Put a decision on the log that an authority signed elsewhere, and may have told others.

        A decision that is on the log already is not put there twice.

        Raises:
            NotFound: nobody asked for this permit.
            Refused: the permit cannot go there, or the decision is about another state.
            NotGenuine, InvalidInput: no authority signed it.
        """
        decided = open_withdrawal(envelope, roots=self._roots)
        standing = self.standing(decided.permit)
        if decided.sha256 in {m.statement_sha256 for _, m in self._entries(decided.permit)}:
            return standing
        check_move(standing.state, decided.state)
        if decided.ground.rests_on != rests_on(self._entries(decided.permit)):
            raise AnotherGround(
                f"The decision about permit {decided.permit} was signed about another state of it.",
                hint="Custodians that were told obey it all the same; the authority decides anew.",
            )
        opened = self._open(envelope, PREDICATE_DECISION, {Role.AUTHORITY: 1})
        self._move(standing.permit, decided.state, envelope, opened)
        return self.standing(decided.permit)

    @taken_alone
    def expire(self, name: str) -> PermitStanding:
        """Put on the log that a permit's last day is over, which nobody signs.

        The entry names the granted text, in which the day stands; custodians look
        there and not at the entry. A permit that has expired already is left alone.

        Raises:
            NotFound: nobody asked for this permit.
            Refused: its last day is not over, or it was never granted.
        """
        standing = self.standing(name)
        if standing.state is PermitState.EXPIRED:
            return standing
        check_move(standing.state, PermitState.EXPIRED)
        now = self._clock.now()
        if now.date() <= standing.permit.ends_on:
            raise Refused(f"Permit {name} holds until {standing.permit.ends_on}.")
        entries = self._entries(name)
        self._journal.record(
            PermitMoved(
                event_id=new_object_id(),
                at=now,
                permit=name,
                state=PermitState.EXPIRED.value,
                predecessor=entries[-1][0],
                statement_sha256=self._text_of(entries),
                signers=(),
            )
        )
        return self.standing(name)

    def standing(self, name: str) -> PermitStanding:
        """Tell where a permit stands, from the log's entries and the signed text.

        Raises:
            NotFound: nobody asked for this permit.
        """
        entries = self._entries(name)
        if not entries:
            raise NotFound(
                f"There is no permit {name}.", hint="List them with `havre permit list`."
            )
        state, index, moved = replay_permit(entries)
        envelope = self._records.document(KIND_PERMIT, moved.statement_sha256)
        text = self._records.document(KIND_PERMIT, self._text_of(entries))
        return PermitStanding(self._read_text(text), state, index, moved.signers, envelope)

    def list_permits(self) -> list[PermitStanding]:
        """List every permit, in order of name."""
        names = {
            logged.event.permit
            for logged in self._log.entries()
            if isinstance(logged.event, PermitMoved)
        }
        return [self.standing(name) for name in sorted(names)]

    def statements(self, name: str) -> dict[int, bytes]:
        """The signed envelopes that a permit's entries on the log rest on, by index."""
        return {
            index: self._records.document(KIND_PERMIT, moved.statement_sha256)
            for index, moved in self._entries(name)
        }

    def _entries(self, name: str) -> list[tuple[int, PermitMoved]]:
        return [
            (logged.index, logged.event)
            for logged in self._log.entries()
            if isinstance(logged.event, PermitMoved) and logged.event.permit == name
        ]

    def _text_of(self, entries: list[tuple[int, PermitMoved]]) -> Digest:
        """The last entry whose statement carries the permit's text, not a decision about it."""
        told = (PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED)
        carrying = [moved for _, moved in entries if PermitState(moved.state) in told]
        return Digest(carrying[-1].statement_sha256)

    def _read_text(self, envelope: bytes) -> Permit:
        try:
            return open_permit(envelope, roots=self._roots, authorities=1).permit
        except WrongContext:
            permit = parse_permit(parse_statement(parse_envelope(envelope).payload).predicate)
            self._open(envelope, PREDICATE_APPLICATION, {_applicant_role(permit): 1})
            return permit

    def _ground(self, name: str) -> Ground:
        return Ground(rests_on(self._entries(name)), self._clock.now())

    def _open(self, envelope: bytes, predicate_type: str, required: Mapping[Role, int]) -> Opened:
        return open_statement(
            envelope,
            roots=self._roots,
            predicate_type=predicate_type,
            origin=self._roots.origin,
            required=required,
        )

    def _signed(self, standing: PermitStanding, authority: Token) -> bytes:
        """Sign a permit's text: under the signature that waits for a second one, or as the first."""
        name = standing.permit.name
        ground, earlier = self._ground(name), self._earlier_signature(standing)
        if earlier is not None:
            begun = open_permit(earlier, roots=self._roots, authorities=1).ground
            fresh = ground.decided_at - begun.decided_at <= timedelta(days=_GATHERING_DAYS)
            if begun.rests_on == ground.rests_on and fresh:
                ground = begun
            else:
                earlier = None
        text = grant_predicate(standing.permit, ground)
        statement = Statement(PREDICATE_PERMIT, self._roots.origin, name, text)
        mine = sign_statement(statement, [authority])
        return mine if earlier is None else merge_signatures([earlier, mine])

    def _earlier_signature(self, standing: PermitStanding) -> bytes | None:
        try:
            return self._records.document(KIND_SIGNATURE, standing.permit.name)
        except NotFound:
            return standing.envelope if standing.state is PermitState.ASSESSMENT else None

    def _move(self, permit: Permit, state: PermitState, envelope: bytes, opened: Opened) -> None:
        entries = self._entries(permit.name)
        digest = opened.envelope_sha256
        self._journal.record(
            PermitMoved(
                event_id=new_object_id(),
                at=self._clock.now(),
                permit=permit.name,
                state=state.value,
                predecessor=entries[-1][0] if entries else None,
                statement_sha256=digest,
                signers=tuple(party.key_id for party in opened.signers),
            ),
            documents=[Document(KIND_PERMIT, digest, envelope)],
        )


def _applicant_role(permit: Permit) -> Role:
    return Role.RESEARCHER if permit.upkeep is None else Role.CONTROLLER


def check_room_for_secret(name: str) -> None:
    """Refuse a permit's name that is so long that its secret could have none.

    Raises:
        InvalidInput: with the number of characters that there may be.
    """
    most = MAX_NAME_CHARACTERS - len(project_secret(""))
    if len(name) > most:
        raise InvalidInput(
            f"A permit's name has at most {most} characters, because its secret is named after it.",
            hint="Choose a shorter name, such as `diabetes-2024`.",
        )
