"""What a custodian or a witness keeps: counted in its directory, and nothing is opened."""

from __future__ import annotations

from pathlib import Path

from havre.adapters.custody.shares import count_shares
from havre.bootstrap.reaching import open_mirror, open_witness
from havre.bootstrap.tokens import open_token
from havre.domain.trust import Role
from havre.errors import HavreError


def holdings_of(party: Path) -> dict[str, int | None]:
    """Count what a party keeps.

    Returns for a custodian `key_shares` and `log_entries`, its own copy's; for a
    witness `log_head`, how long the log was when it last cosigned it, or null when
    it says nothing because it has no memory.
    """
    token = open_token(party)
    if token.config.role is not Role.WITNESS:
        return {"key_shares": count_shares(party), "log_entries": open_mirror(party).held()}
    try:
        return {"log_head": open_witness(party).size_seen(token.trust_roots().origin)}
    except HavreError:
        return {"log_head": None}
