"""What the operator of a party does after a restore from a backup."""

from __future__ import annotations

from pathlib import Path

from havre.adapters.log.files import LogFolder
from havre.bootstrap.reaching import open_witness
from havre.domain.transparency import Head


def restore_witness(folder: Path, *, log: Path) -> Head:
    """Tell a witness that it was restored, and which head enough of the others saw.

    folder: the witness's directory. log: a folder with the published log.

    Returns the head from which it goes on. When that head is refused, the witness
    stays silent until it is told another.

    Raises:
        NotWitnessed, NotGenuine, NotFound, Unavailable: from `LocalWitness.enter_head`.
    """
    witness = open_witness(folder)
    witness.mark_restored()
    return witness.enter_head(LogFolder(log))
