"""What the hub looks at before it asks custodians for keys under a permit for upkeep.

Custodians look at all of it by themselves (`domain.custody`): this spares an entry on the
log that could only be refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition
from havre.application.permits import Permits, PermitStanding
from havre.application.vault.keys import KeysWanted
from havre.domain.custody import check_upkeep_unused
from havre.domain.permit_states import PermitState
from havre.domain.statements import envelope_digest
from havre.domain.upkeep import UpkeepKind
from havre.errors import Refused


def granted_for_upkeep(
    name: str, kind: UpkeepKind, *, permits: Permits, log: PublicLog
) -> PermitStanding:
    """Find a permit for upkeep that is granted and not used up.

    Raises:
        NotFound: there is no such permit.
        Refused: it is not granted, or for something else.
        UpkeepUsed: it was used.
    """
    standing = still_granted(name, permits=permits)
    if standing.permit.upkeep is not kind:
        what = standing.permit.upkeep or "a project"
        raise Refused(
            f"Permit {name} is for {what}, and this is {kind}.",
            hint="Upkeep needs a permit of its own: docs/permits.md.",
        )
    check_upkeep_unused(name, [logged.event for logged in log.entries()])
    return standing


def still_granted(name: str, *, permits: Permits) -> PermitStanding:
    """Make sure that a permit is granted at this moment.

    Raises:
        NotFound, Refused: it is not.
    """
    standing = permits.standing(name)
    if standing.state is not PermitState.GRANTED:
        raise Refused(
            f"Permit {name} is {standing.state.value}.", hint="Only a granted one opens data."
        )
    return standing


def wanted_for_upkeep(
    standing: PermitStanding, kind: UpkeepKind, partitions: Sequence[KnownPartition]
) -> KeysWanted:
    """Say what is to be opened under a permit for upkeep."""
    return KeysWanted(
        purpose=kind.value,
        partitions=partitions,
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )
