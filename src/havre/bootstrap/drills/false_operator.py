"""A false operator, as a process of its own: it has a rehearsal's log key, and shows what it likes.

Started by the fork drill with one JSON argument. It writes three trees beside the
honest one, each signed with the log's own key, and serves all of them over HTTP
until its standard input ends:

- `earlier`: the log as it was before its last acts, with every cosignature it had;
- `forked`: the same number of entries, the last one another;
- `longer`: the forked log, gone on.

As many witnesses as may lie (f) collude, and cosign both forks.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from havre.adapters.log.files import LogFiles, LogFolder
from havre.adapters.machine.apart import become
from havre.adapters.tokens.file import FileToken
from havre.bootstrap.drills.stage import check_rehearsal
from havre.crypto.merkle import consistency_proof
from havre.crypto.random import new_object_id
from havre.domain.events import CatalogueImported, encode_event, parse_event
from havre.formats.notes import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    NoteSignature,
    SignedNote,
    checkpoint_text,
    cosigned_message,
    encode_cosignature,
    encode_note,
    parse_checkpoint,
    parse_note,
    short_key_id,
)

HONEST, EARLIER, FORKED, LONGER = "honest", "earlier", "forked", "longer"
DISHONEST = (EARLIER, FORKED, LONGER)
FILE_LIST, ASK = "files.txt", "ask.json"


@dataclass(frozen=True, slots=True)
class Lies:
    """What the operator is told.

    party: the directory of the log's own key. site: the honest site.
    earlier: a copy of the site, made before the last acts.
    liars: directories of the witnesses that collude.
    served: where it writes what it serves. user: whom it becomes, or null.
    """

    party: str
    site: str
    earlier: str
    liars: list[str]
    served: str
    user: int | None


def main() -> None:
    """Write the trees, say where they are served, and serve them until the input ends."""
    lies = Lies(**json.loads(sys.argv[1]))
    if lies.user is not None:
        become(lies.user)
    write_trees(lies)
    handler = partial(_Quiet, directory=lies.served)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()


def write_trees(lies: Lies) -> None:
    """Write the honest tree and the three others.

    Raises:
        Refused: the keys are of a real log.
    """
    token = FileToken(Path(lies.party))
    check_rehearsal(token.trust_roots())
    served, honest = Path(lies.served), LogFolder(Path(lies.site) / "log")
    size = parse_checkpoint(parse_note(honest.checkpoint()).text).size
    entries = honest.entries(0, size)
    shutil.copytree(lies.site, served / HONEST)
    shutil.copytree(lies.earlier, served / EARLIER)
    forked = [*entries[:-1], _another(entries[-1])]
    forger = _Forger(token, [FileToken(Path(each)) for each in lies.liars])
    forger.write(served / FORKED, forked)
    imported = next(each for each in entries if isinstance(parse_event(each), CatalogueImported))
    # An act that may follow any other: nothing but the fork is wrong with the longer tree.
    forger.write(served / LONGER, [*forked, _another(imported)])
    for name in (HONEST, *DISHONEST):
        _write_ask(served / name)
        files = [path for path in (served / name).rglob("*") if path.is_file()]
        listed = "".join(f"{path.relative_to(served / name).as_posix()}\n" for path in files)
        (served / name / FILE_LIST).write_text(listed, encoding="utf-8")


class _Forger:
    """Signs what it is given, with the log's key and the colluding witnesses'."""

    def __init__(self, token: FileToken, liars: Sequence[FileToken]) -> None:
        self._token = token
        self._liars = liars

    def write(self, site: Path, entries: Sequence[bytes]) -> None:
        log = LogFiles(site / "log", private=site.parent / f".{site.name}-private")
        root = log.append(entries, at=0)
        name = self._token.trust_roots().origin
        text = checkpoint_text(Checkpoint(name, len(entries), root))
        short_id = short_key_id(name, self._token.public, kind=ED25519)
        lines = [NoteSignature(name, short_id, self._token.sign(text.encode()))]
        lines += [self._cosigned(liar, text) for liar in self._liars]
        log.publish(encode_note(SignedNote(text, tuple(lines))))

    @staticmethod
    def _cosigned(liar: FileToken, text: str) -> NoteSignature:
        now = int(time.time())
        signature = liar.sign(cosigned_message(text, unix_time=now))
        short_id = short_key_id(liar.name, liar.public, kind=COSIGNATURE_V1)
        return NoteSignature(liar.name, short_id, encode_cosignature(now, signature))


def _another(entry: bytes) -> bytes:
    """The same act under another id: what nobody can tell from a true one by reading it."""
    return encode_event(replace(parse_event(entry), event_id=new_object_id()))


def _write_ask(site: Path) -> None:
    """Write what a witness is asked to cosign, with the best proof for whatever it saw last."""
    log = LogFolder(site / "log")
    note = log.checkpoint()
    size = parse_checkpoint(parse_note(note).text).size
    node: Callable[[int, int], bytes] = partial(_node_of, log, size)
    proofs = {seen: consistency_proof(seen, size=size, node=node) for seen in range(size + 1)}
    ask = {
        "note": base64.b64encode(note).decode(),
        "proofs": {
            seen: [base64.b64encode(each).decode() for each in proof]
            for seen, proof in proofs.items()
        },
    }
    (site / ASK).write_text(json.dumps(ask), encoding="ascii")


def _node_of(log: LogFolder, size: int, level: int, index: int) -> bytes:
    return log.node(level, index, size=size)


class _Quiet(SimpleHTTPRequestHandler):
    """A web server that says nothing of who asked."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Keep silent."""


if __name__ == "__main__":
    main()
