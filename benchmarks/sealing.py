"""How many file keys a second one core seals to a partition, as the vault does it.

Drawing the key, spelling what it is for, and HPKE with ML-KEM-768 and X25519. Counted
in the process's own time, so that neighbours do not count. Goal: at least 8,000; and
the ratio to the bare cryptography says what our part of it costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from havre.crypto.random import new_object_id
from havre.crypto.sealing import FileKey, PartitionKey, seal_key
from havre.formats.manifest import ObjectKind, key_context
from havre.values import Partition, PartitionKind

KEYS, ROUNDS = 4_000, 5
PLACE = Partition(PartitionKind.DATASET, "dcir", 2023)


def main() -> dict[str, float]:
    """Measure; rates in keys per second of one core."""
    # A version touches a handful of partitions, and seals many keys to each.
    publics = [PartitionKey.generate().public for _ in range(12)]
    mlkem, x25519 = publics[0][:1184], publics[0][1184:]
    parsed = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(mlkem), X25519PublicKey.from_public_bytes(x25519)
    )
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    info = _context()
    bare: list[float] = []
    sealed: list[float] = []
    for _ in range(ROUNDS):
        bare.append(_rate(lambda _: suite.encrypt(bytes(32), parsed, info=info)))
        sealed.append(_rate(lambda turn: _seal(publics[turn % len(publics)])))
    return {
        "bare_hpke_keys_s": round(max(bare)),
        "sealed_keys_s": round(max(sealed)),
        "sealed_to_bare": round(max(sealed) / max(bare), 3),
    }


def _seal(public: bytes) -> bytes:
    return seal_key(FileKey.draw().raw, to=public, info=_context())


def _context() -> bytes:
    return key_context(
        new_object_id(), origin="hub.example", kind=ObjectKind.TABLE, partition=PLACE
    )


def _rate(act: Callable[[int], object]) -> float:
    start = time.process_time()
    for turn in range(KEYS):
        act(turn)
    return KEYS / (time.process_time() - start)


if __name__ == "__main__":
    print(main())
