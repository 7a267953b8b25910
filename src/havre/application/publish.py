"""Publishing: the public site from the log, the signed permits and the released files."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence

from havre.application.audit import PublicLog
from havre.application.permits import Permits
from havre.domain.register import Register, read_register
from havre.domain.transparency import cosigners
from havre.domain.trust import Role, TrustRoots, encode_trust_roots
from havre.errors import NotFound
from havre.formats.notes import parse_note
from havre.ports.pages import SiteFacts, SitePages

MAX_SHOWN_ROWS = 60


class Publication:
    """Writes the public site."""

    def __init__(
        self,
        *,
        log: PublicLog,
        permits: Permits,
        roots: TrustRoots,
        released: Callable[[str, str], bytes],
        pages: SitePages,
    ) -> None:
        """Publish one hub.

        released: the bytes of a released file, by request and name.
        """
        self._log = log
        self._permits = permits
        self._roots = roots
        self._released = released
        self._pages = pages

    def publish(self) -> list[str]:
        """Write every page anew; returns their paths.

        Raises:
            NotFound: nothing was published on the log yet.
        """
        head = self._log.head()
        if head is None:
            raise NotFound("The log has published nothing yet.")
        register = read_register((each.index, each.event) for each in self._log.entries())
        standings = {each.permit.name: each for each in self._permits.list_permits()}
        behind = cosigners(parse_note(self._log.checkpoint()), roots=self._roots)
        trust = encode_trust_roots(self._roots)
        return self._pages.write(
            SiteFacts(
                origin=self._roots.origin,
                size=head.size,
                root=head.root.hex(),
                cosigned=sorted(each.witness.name for each in behind),
                witnesses=len(self._roots.with_role(Role.WITNESS)),
                quorum=self._roots.quorum,
                trust=trust,
                trust_sha256=hashlib.sha256(trust).hexdigest(),
                register=register,
                permits={name: each.permit for name, each in standings.items()},
                signed={name: self._permits.statements(name) for name in standings},
                tables=self._tables(register),
            )
        )

    def _tables(self, register: Register) -> dict[str, Mapping[str, Sequence[Sequence[str]]]]:
        """The first rows of every released table, if the file is still the one on the log."""
        tables: dict[str, Mapping[str, Sequence[Sequence[str]]]] = {}
        for line in register.releases.values():
            if line.released is None:
                continue
            files = line.released[1].files
            tables[line.request] = {
                name: _rows(content)
                for name in sorted(files)
                if name.endswith(".csv")
                and hashlib.sha256(content := self._released(line.request, name)).hexdigest()
                == files[name]
            }
        return tables


def _rows(content: bytes) -> list[list[str]]:
    lines = content.decode("utf-8", "replace").splitlines()
    return [row for _, row in zip(range(MAX_SHOWN_ROWS + 1), csv.reader(lines), strict=False)]
