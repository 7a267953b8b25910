"""What runs inside the key room: one JSON line in, one JSON line out, until the end of input.

No core file, no other process may look in, nothing is written anywhere. When
the input ends the process ends, and what was whole is gone with it.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import resource
import sys
from typing import Any

from havre.crypto.commitments import SALT_BYTES, check_opening, commit_to, new_salt
from havre.crypto.random import random_bytes
from havre.crypto.sealing import PartitionKey, seal_key
from havre.crypto.shares import combine_shares, split_secret
from havre.errors import HavreError, InvalidInput, NotGenuine, Refused
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.ports.custody import SHARE_LABEL, ceremony_context

_PR_SET_DUMPABLE = 4


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


class _SharedOut:
    """Seeds split among the recipients of one ceremony: bundles by custodian, commitments by partition."""

    def __init__(self, line: dict[str, Any]) -> None:
        self._threshold = line["threshold"]
        self._names = [recipient["custodian"] for recipient in line["recipients"]]
        self.bundles: dict[str, list[dict[str, str]]] = {name: [] for name in self._names}
        self.commitments: dict[str, dict[str, str]] = {}

    def add(self, partition: str, text: str, seed: bytes) -> None:
        """Split one seed."""
        words = split_secret(seed, threshold=self._threshold, shares=len(self._names))
        # Cheap beside what it would cost: a split that does not give the seed back
        # loses everything that was sealed to it.
        if combine_shares(words[-self._threshold :]) != seed:
            raise NotGenuine("New shares do not give their seed back.")
        self.commitments[partition] = {}
        for name, share in zip(self._names, words, strict=True):
            salt = new_salt()
            committed = commit_to(share.encode(), label=SHARE_LABEL, salt=salt)
            self.commitments[partition][name] = committed
            self.bundles[name].append(
                {"id": partition, "text": text, "salt": salt.hex(), "words": share}
            )


class Room:
    """The state of one room: a one-time key, and what was combined in it."""

    def __init__(self) -> None:
        self._key = PartitionKey.generate()
        self._seeds: dict[str, bytes] = {}
        self._keys: dict[str, PartitionKey] = {}
        self._texts: dict[str, str] = {}

    def answer(self, line: dict[str, Any]) -> Any:
        """Do what one line asks."""
        acts = {
            "make": self._make,
            "reshare": self._reshare,
            "one_time_key": lambda _line: _text(self._key.public),
            "check": self._check,
            "load": self._load,
            "unwrap": self._unwrap,
            "secret": self._secret,
        }
        return acts[line["act"]](line)

    def _make(self, line: dict[str, Any]) -> Any:
        """Draw a seed for each partition and split it; seal every custodian's shares together."""
        public_keys: dict[str, str] = {}
        shared = _SharedOut(line)
        for partition in line["partitions"]:
            seed = random_bytes(32)
            public_keys[partition["id"]] = _text(PartitionKey.from_seed(seed).public)
            shared.add(partition["id"], partition["text"], seed)
        return {"public_keys": public_keys, **self._sealed(line, shared)}

    def _reshare(self, line: dict[str, Any]) -> Any:
        """Combine each partition's shares and split its seed anew; a seed is kept for no longer."""
        shared = _SharedOut(line)
        for partition in line["partitions"]:
            seed = self._combined(partition)[0]
            shared.add(partition["id"], partition["shares"][0]["text"], seed)
        return self._sealed(line, shared)

    def _sealed(self, line: dict[str, Any], shared: _SharedOut) -> dict[str, Any]:
        sealed = {
            recipient["custodian"]: self._sealed_bundle(line, recipient, shared.bundles)
            for recipient in line["recipients"]
        }
        return {"commitments": shared.commitments, "sealed": sealed}

    @staticmethod
    def _sealed_bundle(
        line: dict[str, Any], recipient: dict[str, str], bundles: dict[str, list[dict[str, str]]]
    ) -> str:
        name = recipient["custodian"]
        content = encode_canonical([dict(share) for share in bundles[name]])
        context = ceremony_context(origin=line["origin"], ceremony=line["ceremony"], custodian=name)
        return _text(seal_key(content, to=_bytes(recipient["one_time_key"]), info=context))

    def _check(self, line: dict[str, Any]) -> None:
        for share in line["shares"]:
            self._opened_words(share)

    def _load(self, line: dict[str, Any]) -> None:
        self._seeds[line["id"]], self._keys[line["id"]] = self._combined(line)
        # Every share said the same: `_opened_words` compared them.
        self._texts[line["id"]] = line["shares"][0]["text"]

    def _combined(self, partition: dict[str, Any]) -> tuple[bytes, PartitionKey]:
        seed = combine_shares([self._opened_words(share) for share in partition["shares"]])
        key = PartitionKey.from_seed(seed)
        # A share that fits its checksum can still be of another secret: only the
        # public key tells.
        if hashlib.sha256(key.public).hexdigest() != partition["public_sha256"]:
            raise NotGenuine("The shares make another key than the catalogue's.")
        return seed, key

    def _opened_words(self, share: dict[str, str]) -> str:
        """Open one share and hold it against the log's commitment and the catalogue's text.

        Whatever is wrong with it, the custodian that gave it is named.
        """
        who = f"Custodian {share['custodian']}"
        try:
            content = self._key.open_key(_bytes(share["sealed"]), info=_bytes(share["context"]))
        except NotGenuine:
            raise NotGenuine(f"{who} gave a share that does not open here.") from None
        opened = _parse_share(content, who)
        salt = bytes.fromhex(opened["salt"])
        try:
            check_opening(
                share["commitment"], opened["words"].encode(), label=SHARE_LABEL, salt=salt
            )
        except NotGenuine:
            raise NotGenuine(f"{who} gave a share that it did not commit to.") from None
        if opened["text"] != share["text"]:
            raise NotGenuine(f"{who} and the catalogue do not agree on what a partition is.")
        return opened["words"]

    def _unwrap(self, line: dict[str, Any]) -> str:
        key = self._keys.get(line["id"])
        if key is None:
            raise Refused("A partition was not opened.")
        return _text(key.open_key(_bytes(line["sealed"]), info=_bytes(line["info"])))

    def _secret(self, line: dict[str, Any]) -> str:
        seed = self._seeds.get(line["id"])
        if seed is None or not self._texts[line["id"]].startswith("secret/"):
            raise Refused("Only the bytes of an opened secret partition are given out.")
        return _text(seed)


def _parse_share(content: bytes, who: str) -> dict[str, str]:
    """Read an opened share strictly: three texts, the salt in hexadecimal."""
    try:
        share = parse_canonical(content)
        if not isinstance(share, dict) or sorted(share) != ["salt", "text", "words"]:
            raise InvalidInput("A share has other fields.")
        texts = {name: value for name, value in share.items() if isinstance(value, str)}
        if len(texts) != len(share) or len(bytes.fromhex(texts["salt"])) != SALT_BYTES:
            raise InvalidInput("A share has a field of another kind.")
    except (InvalidInput, ValueError):
        raise NotGenuine(f"{who} gave a share that cannot be read.") from None
    return texts


def main() -> None:
    """Answer lines until the input ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    room = Room()
    for raw in sys.stdin.buffer:
        try:
            reply: dict[str, Any] = {"ok": room.answer(json.loads(raw))}
        except HavreError as refusal:
            reply = {"refused": type(refusal).__name__, "message": refusal.message}
        except Exception as fault:  # noqa: BLE001 - a trace could quote what a share says
            kind = type(fault).__name__
            reply = {"refused": "", "message": f"The key room cannot read a line ({kind})."}
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
