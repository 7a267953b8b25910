"""Where a request to release outputs can go, and where each one stands by the log.

The states and their names are those of the OpenSAFELY airlock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from havre.domain.events import Event, JobRan, OutputReviewed, ReleaseMoved, VoteCast
from havre.domain.trust import Party
from havre.errors import NotGenuine, Refused

VOTES_NEEDED = 2
VOTE_LABEL = "havre/v1/vote"
APPROVE, RETURN = "approve", "return"
# Whether a submission comes back, and by which rules, tells its author up to eight bits
# that nobody has looked at. Enough for honest work, and forty bits a day at most.
SUBMISSIONS_A_DAY = 5
_DAY = timedelta(days=1)


class ReleaseState(StrEnum):
    """A state, and in its comment who acts next."""

    PENDING = "pending"  # the author
    SUBMITTED = "submitted"  # the checkers
    PARTIALLY_REVIEWED = "partially-reviewed"  # the other checker
    REVIEWED = "reviewed"  # the hub, which opens the votes
    RETURNED = "returned"  # the author
    APPROVED = "approved"  # the hub, which lets the files out
    RELEASED = "released"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_S = ReleaseState

# Where a request may go next; the documentation draws its diagram from this table.
NEXT: Mapping[ReleaseState, frozenset[ReleaseState]] = MappingProxyType(
    {
        _S.PENDING: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
        _S.SUBMITTED: frozenset({_S.PARTIALLY_REVIEWED, _S.RETURNED}),
        _S.PARTIALLY_REVIEWED: frozenset({_S.REVIEWED, _S.RETURNED}),
        _S.REVIEWED: frozenset({_S.APPROVED, _S.REJECTED, _S.RETURNED}),
        _S.RETURNED: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
        _S.APPROVED: frozenset({_S.RELEASED}),
        _S.RELEASED: frozenset(),
        _S.REJECTED: frozenset(),
        _S.WITHDRAWN: frozenset(),
    }
)
# Moves of the table that nothing in the hub makes yet.
NOT_YET: frozenset[tuple[ReleaseState, ReleaseState]] = frozenset(
    {
        (_S.PENDING, _S.WITHDRAWN),
        (_S.RETURNED, _S.WITHDRAWN),
        (_S.REVIEWED, _S.REJECTED),
        (_S.PARTIALLY_REVIEWED, _S.RETURNED),
    }
)


@dataclass(frozen=True, slots=True)
class ReleaseStanding:
    """Where one request stands.

    turn: counts submissions, from 1; 0 before the first.
    voters: key ids of the checkers who have voted in this turn.
    job: whose outputs are asked for now.
    decided: what the votes of this turn led to, once they were opened.
    """

    request: str
    state: ReleaseState = ReleaseState.PENDING
    turn: int = 0
    job: str = ""
    voters: frozenset[str] = field(default=frozenset())
    decided: ReleaseState | None = None


def check_move(start: ReleaseState, end: ReleaseState) -> None:
    """Refuse a move that the table does not allow, or that is closed for now.

    Raises:
        Refused: naming where the request can go instead.
    """
    open_ways = {each for each in NEXT[start] if (start, each) not in NOT_YET}
    if end in open_ways:
        return
    ways = ", ".join(sorted(state.value for state in open_ways)) or "nowhere"
    raise Refused(
        f"A request cannot go from {start.value} to {end.value}.",
        hint=f"From {start.value} it can go to: {ways}.",
    )


def replay_release(request: str, events: Iterable[Event]) -> ReleaseStanding:
    """Work out where a request stands from the log's events alone.

    Raises:
        NotGenuine: the log has a move that the table does not allow.
    """
    standing = ReleaseStanding(request)
    for event in events:
        if isinstance(event, ReleaseMoved) and event.request == request:
            standing = _moved(standing, event)
        elif isinstance(event, VoteCast) and event.request == request:
            standing = replace(standing, voters=standing.voters | {event.checker})
        elif isinstance(event, OutputReviewed) and event.request == request:
            standing = _reviewed(standing, event)
    return standing


def _moved(standing: ReleaseStanding, event: ReleaseMoved) -> ReleaseStanding:
    try:
        state = ReleaseState(event.state)
        check_move(standing.state, state)
    except (ValueError, Refused):
        raise NotGenuine(
            f"The log moves request {event.request} where the rules do not let it go."
        ) from None
    if state is ReleaseState.APPROVED and standing.decided is not state:
        raise NotGenuine(f"The log approves request {event.request}, and the votes do not.")
    if state is ReleaseState.SUBMITTED:
        return ReleaseStanding(event.request, state, standing.turn + 1, event.job)
    return replace(standing, state=state, job=event.job)


def _reviewed(standing: ReleaseStanding, event: OutputReviewed) -> ReleaseStanding:
    """Believe opened votes only of those who have voted, in this turn."""
    if event.turn != standing.turn or frozenset(event.votes) != standing.voters:
        raise NotGenuine(f"The votes opened for {event.request} are not those that were cast.")
    return replace(standing, decided=decide(event.votes))


def decide(votes: Mapping[str, str]) -> ReleaseState:
    """Say where the votes of one turn lead: out only when all of enough checkers agree.

    votes: checker's key id to `approve` or `return`.

    >>> decide({"a": "approve", "b": "return"}).value
    'returned'
    """
    if len(votes) >= VOTES_NEEDED and set(votes.values()) == {APPROVE}:
        return ReleaseState.APPROVED
    return ReleaseState.RETURNED


def reviews_of(request: str, events: Iterable[Event]) -> list[OutputReviewed]:
    """List a request's reviews, in order."""
    return [
        event for event in events if isinstance(event, OutputReviewed) and event.request == request
    ]


def check_submissions(permit: str, events: Iterable[Event], *, now: datetime) -> None:
    """Make sure that a project does not ask for its outputs too often.

    The log tells: submissions of any of the permit's jobs in the last 24 hours.

    Raises:
        Refused: it has asked `SUBMISSIONS_A_DAY` times.
    """
    jobs: set[str] = set()
    made = 0
    for event in events:
        if isinstance(event, JobRan) and event.permit == permit:
            jobs.add(event.job)
        elif isinstance(event, ReleaseMoved) and event.job in jobs and event.at > now - _DAY:
            made += event.state == ReleaseState.SUBMITTED.value
    if made >= SUBMISSIONS_A_DAY:
        raise Refused(
            f"Permit {permit} has had its {SUBMISSIONS_A_DAY} submissions of 24 hours.",
            hint="Ask a checker what is wrong before you submit again.",
        )


def check_independent(checker: Party, *, houses: Collection[str], voted: Iterable[Party]) -> None:
    """Make sure that a checker is of another house than the project and the other checker.

    houses: operators of everybody who has a part in the project.
    voted: who has voted in this turn.

    Raises:
        Refused: two people of one house are one opinion, and a project's house is a party.
    """
    if checker.operator in houses:
        raise Refused(
            f"{checker.name} is of a house that has a part in this project and cannot check it.",
            hint="Ask a checker of another operator.",
        )
    if any(party.operator == checker.operator for party in voted if party != checker):
        raise Refused(
            f"A checker of {checker.name}'s house has voted: two of one house count as one.",
            hint="Ask a checker of another operator.",
        )
