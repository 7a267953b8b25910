"""What a hub signs about a backup: of which moment of its log it is, and for nobody to alter.

A backup's records are sealed to a public key, so anybody could seal others to it.
What makes it the hub's is this statement, under the key that signed the log then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from havre.crypto.signatures import check_signature
from havre.domain.departure import DepartureManifest
from havre.domain.following import Followed, follow_entries
from havre.domain.statements import Statement
from havre.domain.transparency import Head
from havre.domain.trust import TrustRoots
from havre.errors import NotGenuine
from havre.formats.canonical import Json
from havre.formats.statements import parse_envelope, parse_statement, signed_bytes
from havre.values import instant_text, parse_instant

PREDICATE_BACKUP = "havre/v1/backup"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is the hub's: its manifest, when it was made, and how much of the log it knew."""

    manifest: DepartureManifest
    made_at: datetime

    @property
    def log_size(self) -> int:
        """How many entries the log had when it was made."""
        return self.manifest.log_size


def backup_statement(manifest: DepartureManifest, *, digest: str, made_at: datetime) -> Statement:
    """Write what the hub signs.

    digest: SHA-256 of the manifest as it is written.
    """
    said: dict[str, Json] = {
        "log_root": manifest.log_root,
        "log_size": manifest.log_size,
        "made_at": instant_text(made_at),
        "manifest_sha256": digest,
    }
    return Statement(PREDICATE_BACKUP, manifest.origin, manifest.departure, said)


def check_backup(
    envelope: bytes,
    *,
    manifest: DepartureManifest,
    digest: str,
    entries: Sequence[bytes],
    roots: TrustRoots,
) -> Backup:
    """Make sure that a backup is this hub's, of a moment of this very log.

    entries: of the log, from a mirror; at least as many as the backup knew.

    Raises:
        NotGenuine: another log, another past, another manifest, or not signed by the
            key that signed the log then.
        InvalidInput: it is no statement.
    """
    parsed = parse_envelope(envelope)
    statement = parse_statement(parsed.payload)
    made_at = parse_instant(str(statement.predicate.get("made_at")))
    if statement != backup_statement(manifest, digest=digest, made_at=made_at):
        raise NotGenuine("The backup's statement is about another backup than this.")
    if manifest.origin != roots.origin:
        raise NotGenuine("The backup is of another log than the custodians follow.")
    followed, _ = follow_entries(Followed(), entries[: manifest.log_size])
    if followed.head != Head(manifest.log_size, bytes.fromhex(manifest.log_root)):
        raise NotGenuine("The backup is of another past than the custodians' copies of the log.")
    key = followed.keys(roots).key_for(manifest.log_size)
    if [public for public, _ in parsed.signatures] != [key]:
        raise NotGenuine("The backup is not signed by the key that signed the log then.")
    check_signature(parsed.signatures[0][1], signed_bytes(parsed.payload), public=key)
    return Backup(manifest, made_at)
