"""One party of the fork drill, as a process of its own: it is shown trees, and believes them or not.

Started with one JSON argument. It fetches each tree over HTTP into its own
directory, does with it what its role does every day, and prints one line: what
it answered to each. A party runs the same code here as at a real hub.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import time
import types
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import asdict, dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from havre.adapters.machine.apart import become
from havre.adapters.tokens.file import FileToken
from havre.bootstrap.drills.false_operator import ASK, FILE_LIST
from havre.bootstrap.reaching import open_custodian, open_mirror, open_witness
from havre.bootstrap.strangers import verifier_path
from havre.domain.custody import ShareRequest
from havre.domain.transparency import NotFresh
from havre.errors import HavreError, InvalidInput, NotFound, NotGenuine

_MOST_FILE_BYTES = 64 * 1024 * 1024
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked, and where.

    role: `witness`, `custodian` or `stranger`.
    folder: its own directory. trees: the URL of each tree by name, in the order of asking.
    request: index of a request for keys that a custodian has answered.
    seen: a head that a stranger kept, or empty. user: whom it becomes, or null.
    """

    role: str
    folder: str
    trees: dict[str, str]
    request: int
    seen: str
    user: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a party said of one tree.

    believed: it cosigned, answered or verified it; `said` is its refusal otherwise.
    took_ms: from the first byte that it fetched.
    """

    tree: str
    believed: bool
    said: str
    took_ms: int


def main() -> None:
    """Answer for every tree."""
    asked = Asked(**json.loads(sys.argv[1]))
    verifier = _load_verifier()
    if asked.user is not None:
        become(asked.user)
    os.umask(0o077)
    answers = [asdict(_answer(asked, tree, verifier)) for tree in asked.trees]
    sys.stdout.write(json.dumps(answers))


def _answer(asked: Asked, tree: str, verifier: types.ModuleType) -> Answer:
    began = time.monotonic()
    fetched = Path(asked.folder) / "fetched" / tree
    _fetch(asked.trees[tree], fetched)
    ways: dict[str, Callable[[], str]] = {
        "witness": lambda: _as_witness(asked, fetched),
        "custodian": lambda: _as_custodian(asked, fetched),
        "stranger": lambda: _as_stranger(asked, fetched, verifier),
    }
    said = ways[asked.role]()
    return Answer(tree, not said, said, round((time.monotonic() - began) * 1000))


def _as_witness(asked: Asked, fetched: Path) -> str:
    """Cosign what the operator asks for; any refusal is one."""
    ask: dict[str, Any] = json.loads((fetched / ASK).read_bytes())
    try:
        witness = open_witness(Path(asked.folder))
        seen = witness.size_seen(FileToken(Path(asked.folder)).trust_roots().origin)
        witness.cosign(
            base64.b64decode(ask["note"]),
            old_size=seen,
            proof=[base64.b64decode(each) for each in ask["proofs"].get(str(seen), [])],
        )
    except HavreError as refusal:
        return refusal.message
    return ""


def _as_custodian(asked: Asked, fetched: Path) -> str:
    """Follow this log, and answer a request that was answered before, if the log is believed."""
    folder = Path(asked.folder)
    custodian = open_custodian(folder, mirror=open_mirror(folder), log=fetched / "log")
    try:
        custodian.release(ShareRequest(asked.request, b"", {}, {}))
    except (NotGenuine, NotFresh) as refusal:
        return refusal.message
    except HavreError:
        # It believed the log, and refused the request for another reason.
        return ""
    return ""


def _as_stranger(asked: Asked, fetched: Path, verifier: types.ModuleType) -> str:
    """Run the one-file verifier, with trust roots and a head from elsewhere."""
    folder = Path(asked.folder)
    sys.argv = [
        *("verify_log.py", str(fetched), "--json"),
        *("--trust", str(folder / "trust.json")),
        *(("--seen", asked.seen) if asked.seen else ()),
    ]
    said = io.StringIO()
    with redirect_stdout(said):
        code = verifier.main()
    return "" if code == 0 else str(json.loads(said.getvalue())["fault"])


def _load_verifier() -> types.ModuleType:
    """Load the verifier as the stranger would start it; it may lie where he cannot go."""
    # It imports nothing of Havre's: no wall stands between it and anything here.
    spec = spec_from_file_location("verify_log", verifier_path())
    if spec is None or spec.loader is None:
        raise NotFound("The verifier is not there.")
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def _fetch(url: str, folder: Path) -> None:
    """Fetch every file of a tree, as its list names them; a list is believed no further than this."""
    opener = build_opener(ProxyHandler({}))

    def get(path: str) -> bytes:
        with opener.open(f"{url}/{quote(path)}", timeout=_TIMEOUT_S) as answer:
            body: bytes = answer.read(_MOST_FILE_BYTES)
        return body

    for name in get(FILE_LIST).decode().splitlines():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise InvalidInput("A list of files names one outside its folder.")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            target.unlink()
        target.write_bytes(get(name))


if __name__ == "__main__":
    main()
