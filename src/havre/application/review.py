"""Review: the machine's check first, then two people, blind to each other.

A vote is a statement signed by its checker. The log gets a commitment to it;
when enough are in, all are opened together, so that nobody follows anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.journal import Journal, taken_alone
from havre.application.outputs import OutputBundles
from havre.application.permits import Permits
from havre.crypto.commitments import check_opening, commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.crypto.signatures import key_id
from havre.domain.disclosure import check_outputs
from havre.domain.events import Event, OutputReviewed, ReleaseMoved, VoteCast
from havre.domain.findings import Finding, must_findings
from havre.domain.job import JobRecord
from havre.domain.release import (
    APPROVE,
    RETURN,
    VOTE_LABEL,
    VOTES_NEEDED,
    ReleaseStanding,
    ReleaseState,
    check_independent,
    check_move,
    check_submissions,
    decide,
    replay_release,
)
from havre.domain.statements import Opened, Statement, open_statement, sign_statement
from havre.domain.trust import Party, Role, TrustRoots
from havre.errors import NotFound, NotGenuine, Refused
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.ports.clock import Clock
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import parse_name

PREDICATE_SUBMISSION = "havre/v1/release-request"
PREDICATE_VOTE = "havre/v1/vote"
FINDINGS_LABEL = "havre/v1/findings"
KIND_SUBMISSION = "release-request"
KIND_FINDINGS = "findings"
KIND_FINDINGS_SALT = "findings-salt"
KIND_VOTE = "vote"
KIND_VOTE_SALT = "vote-salt"


@dataclass(frozen=True, slots=True)
class Submission:
    """What the machine's check said of a submission, and where the request stands now."""

    standing: ReleaseStanding
    findings: tuple[Finding, ...]


class Reviews:
    """Takes outputs through their review."""

    def __init__(
        self,
        *,
        bundles: OutputBundles,
        permits: Permits,
        journal: Journal,
        log: PublicLog,
        records: Records,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._bundles = bundles
        self._permits = permits
        self._journal = journal
        self._log = log
        self._records = records
        self._roots = roots
        self._clock = clock

    def standing(self, request: str) -> ReleaseStanding:
        """Tell where a request stands, by the log.

        Raises:
            NotFound: nobody asked for it.
        """
        standing = replay_release(request, self._events())
        if standing.turn == 0:
            raise NotFound(f"There is no request {request}.", hint="Make one: `havre submit`.")
        return standing

    def list_requests(self) -> list[ReleaseStanding]:
        """List every request, in order of name."""
        names = {event.request for event in self._events() if isinstance(event, ReleaseMoved)}
        return [self.standing(name) for name in sorted(names)]

    def submit(self, request: str, job_name: str, *, researcher: Token) -> Submission:
        """Ask for a job's outputs to be released, first or again; the machine checks at once.

        What breaks a rule that must hold goes back to its author the same moment.

        Raises:
            Refused: another researcher's job, the request is not the author's to move or
                was moved while the machine checked, or too many submissions of this
                permit in a day.
            NotFound: no such job.
        """
        # What a process before could not publish goes out first: nobody acts on a stale log.
        self._journal.resume()
        job = self._bundles.job(job_name)
        before = replay_release(parse_name(request), self._events())
        check_move(before.state, ReleaseState.SUBMITTED)
        if before.job:
            self._check_same_project(job, self._bundles.job(before.job))
        envelope = self._signed_submission(request, job, researcher)
        check_submissions(job.permit, self._events(), now=self._clock.now())
        files = self._bundles.open(job)
        permit = self._permits.standing(job.permit).permit
        findings = tuple(check_outputs(files, rules=permit.output))
        with self._journal.alone():
            if replay_release(request, self._events()) != before:
                raise Refused(
                    f"Request {request} was moved by somebody else while the machine checked.",
                    hint="See where it stands, then submit again.",
                )
            check_submissions(job.permit, self._events(), now=self._clock.now())
            self._record_submission(request, job, envelope, findings)
        return Submission(self.standing(request), findings)

    def findings(self, request: str) -> list[str]:
        """What the machine's check said at the last submission, in sentences."""
        standing = self.standing(request)
        body = parse_canonical(self._records.document(KIND_FINDINGS, f"{request}.{standing.turn}"))
        listed = body.get("findings") if isinstance(body, dict) else None
        return [str(each) for each in listed] if isinstance(listed, list) else []

    def show(self, request: str, *, checker: Token) -> dict[str, bytes]:
        """Open the files of a request for one of its checkers.

        Raises:
            Refused: whoever asks is no checker.
        """
        self._check_checker(checker, self._bundles.job(self.standing(request).job))
        return self._bundles.open(self._bundles.job(self.standing(request).job))

    def vote(self, request: str, vote: str, *, checker: Token) -> ReleaseStanding:
        """Cast one checker's vote; with the last one that is needed, all are opened.

        vote: `approve` or `return`.

        Raises:
            Refused: not a vote, not a checker, the author, of a house that is in the
                project or has voted, or twice in one turn; the request is not under
                review; or a vote that waited for witnesses was another one.
        """
        if vote not in (APPROVE, RETURN):
            raise Refused("A vote is approve or return.")
        before = self.standing(request)
        with self._journal.alone():
            return self._vote(request, vote, checker=checker, before=before)

    def _vote(
        self, request: str, vote: str, *, checker: Token, before: ReleaseStanding
    ) -> ReleaseStanding:
        """Cast a vote, alone on the log.

        before: where the request stood before what was left unfinished went out.
        """
        standing = self.standing(request)
        job = self._bundles.job(standing.job)
        party = self._check_checker(checker, job)
        if party.key_id in standing.voters - before.voters:
            # It waited for witnesses: this is the same act, tried again.
            self._check_same_vote(standing, party, vote)
            return self.finish(request)
        if party.key_id in standing.voters:
            raise Refused(
                f"{party.name} has voted in this turn already.",
                hint="The other checker votes next; votes are opened together.",
            )
        others = [each for each in self._roots.parties if each.key_id in standing.voters]
        check_independent(party, houses=self._houses(job), voted=others)
        first = len(standing.voters) + 1 < VOTES_NEEDED
        following = ReleaseState.PARTIALLY_REVIEWED if first else ReleaseState.REVIEWED
        check_move(standing.state, following)
        said = encode_canonical(_vote_json(party, standing, vote))
        salt = new_salt()
        name = f"{request}.{standing.turn}.{party.key_id}"
        # The signature is under the files as well: a vote is about these bytes.
        files: dict[str, Json] = dict(job.files)
        predicate: dict[str, Json] = {**_vote_json(party, standing, vote), "files": files}
        statement = Statement(PREDICATE_VOTE, self._roots.origin, request, predicate)
        documents = [
            Document(KIND_VOTE, name, sign_statement(statement, [checker])),
            Document(KIND_VOTE_SALT, name, salt),
        ]
        cast = VoteCast(
            event_id=new_object_id(),
            at=self._clock.now(),
            request=request,
            checker=party.key_id,
            vote_commitment=commit_to(said, label=VOTE_LABEL, salt=salt),
        )
        events: list[Event] = [cast, self._move(standing, following)]
        self._journal.record(*events, documents=documents)
        if not first:
            self._open_votes(request)
        return self.standing(request)

    @taken_alone
    def finish(self, request: str) -> ReleaseStanding:
        """Open the votes of a request whose hub died in between."""
        if self.standing(request).state is ReleaseState.REVIEWED:
            self._open_votes(request)
        return self.standing(request)

    def _open_votes(self, request: str) -> None:
        standing = self.standing(request)
        votes, salts = {}, {}
        for voter in sorted(standing.voters):
            votes[voter], salts[voter] = self._opened_vote(standing, voter)
        end = decide(votes)
        check_move(standing.state, end)
        self._journal.record(
            OutputReviewed(
                event_id=new_object_id(),
                at=self._clock.now(),
                request=request,
                turn=standing.turn,
                decision=end.value,
                votes=votes,
                salts=salts,
            ),
            self._move(standing, end),
        )

    def _opened_vote(self, standing: ReleaseStanding, voter: str) -> tuple[str, str]:
        """Open one vote, if it is the one that was cast, signed by who cast it, about these files.

        Returns the vote, and the salt of its commitment in hexadecimal.
        """
        name = f"{standing.request}.{standing.turn}.{voter}"
        opened = self._stored_vote(standing, voter)
        said = dict(opened.statement.predicate)
        files = said.pop("files", None)
        salt = self._records.document(KIND_VOTE_SALT, name)
        cast = [
            event
            for event in self._events()
            if isinstance(event, VoteCast)
            and (event.request, event.checker) == (standing.request, voter)
        ]
        check_opening(cast[-1].vote_commitment, encode_canonical(said), label=VOTE_LABEL, salt=salt)
        self._check_voter(opened, voter, files=files, job=self._bundles.job(standing.job))
        return str(said["vote"]), salt.hex()

    def _stored_vote(self, standing: ReleaseStanding, voter: str) -> Opened:
        return open_statement(
            self._records.document(KIND_VOTE, f"{standing.request}.{standing.turn}.{voter}"),
            roots=self._roots,
            predicate_type=PREDICATE_VOTE,
            origin=self._roots.origin,
            required={Role.CHECKER: 1},
        )

    def _check_same_vote(self, standing: ReleaseStanding, party: Party, vote: str) -> None:
        """A vote is not corrected by trying again: it was on the log before anybody saw it."""
        cast = str(self._stored_vote(standing, party.key_id).statement.predicate.get("vote"))
        if cast != vote:
            raise Refused(
                f"{party.name}'s vote of this turn is {cast}: it waited for witnesses and stands"
                f" on the log now; {vote} was not cast.",
                hint="A vote cannot be taken back. Tell the other checker and the operator at once.",
            )

    def _check_voter(self, opened: Opened, voter: str, *, files: Json, job: JobRecord) -> None:
        if [party.key_id for party in opened.signers] != [voter] or files != dict(job.files):
            raise NotGenuine("A vote is by somebody else, or about other files, than the log says.")

    def _check_checker(self, checker: Token, job: JobRecord) -> Party:
        party = self._roots.party_of(checker.public)
        if party.role is not Role.CHECKER:
            raise Refused(f"{party.name} is no output checker.")
        if party.name in self._project(job):
            raise Refused(f"{party.name} has a part in this project and cannot check it.")
        check_independent(party, houses=self._houses(job), voted=())
        return party

    def _project(self, job: JobRecord) -> frozenset[str]:
        permit = self._permits.standing(job.permit).permit
        return frozenset({job.researcher, permit.applicant, *permit.people})

    def _houses(self, job: JobRecord) -> frozenset[str]:
        names = self._project(job)
        return frozenset(each.operator for each in self._roots.parties if each.name in names)

    def _check_same_project(self, job: JobRecord, before: JobRecord) -> None:
        if (job.permit, job.researcher) != (before.permit, before.researcher):
            raise Refused("A request goes on with the same project and the same researcher.")

    def _signed_submission(self, request: str, job: JobRecord, researcher: Token) -> bytes:
        party = self._roots.party_of(researcher.public)
        if party.name != job.researcher:
            raise Refused(f"Job {job.job} is another researcher's.")
        files: dict[str, Json] = dict(job.files)
        statement = Statement(
            PREDICATE_SUBMISSION, self._roots.origin, request, {"files": files, "job": job.job}
        )
        return sign_statement(statement, [researcher])

    def _record_submission(
        self, request: str, job: JobRecord, envelope: bytes, findings: tuple[Finding, ...]
    ) -> None:
        turn = replay_release(request, self._events()).turn + 1
        body = encode_canonical({"findings": [each.sentence for each in findings]})
        salt = new_salt()
        commitment = commit_to(body, label=FINDINGS_LABEL, salt=salt)
        submitted = ReleaseMoved(
            event_id=new_object_id(),
            at=self._clock.now(),
            request=request,
            job=job.job,
            state=ReleaseState.SUBMITTED.value,
            findings_commitment=commitment,
        )
        events: list[Event] = [submitted]
        if must_findings(findings):
            after = ReleaseStanding(request, ReleaseState.SUBMITTED, turn, job.job)
            events.append(self._move(after, ReleaseState.RETURNED))
        name = f"{request}.{turn}"
        self._journal.record(
            *events,
            documents=[
                Document(KIND_SUBMISSION, name, envelope),
                Document(KIND_FINDINGS, name, body),
                Document(KIND_FINDINGS_SALT, name, salt),
            ],
        )

    def _move(self, standing: ReleaseStanding, end: ReleaseState) -> ReleaseMoved:
        return ReleaseMoved(
            event_id=new_object_id(),
            at=self._clock.now(),
            request=standing.request,
            job=standing.job,
            state=end.value,
            findings_commitment="",
        )

    def _events(self) -> list[Event]:
        return [logged.event for logged in self._log.entries()]


def _vote_json(party: Party, standing: ReleaseStanding, vote: str) -> dict[str, Json]:
    return {
        "checker": key_id(party.key),
        "request": standing.request,
        "turn": standing.turn,
        "vote": vote,
    }
