"""What an order to erase reaches, by its ground and by what the partitions are."""

from __future__ import annotations

import pytest

from fakes.parties import ORIGIN, START, Cast
from havre.domain.erasure import ErasureOrder, Ground, check_signers, open_order, sign_order
from havre.errors import NotGenuine
from havre.values import Partition, PartitionKind


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def check(cast: Cast, *, permit: str, partition: Partition) -> None:
    """What custodians look at in an order that the hub alone gives at a permit's end."""
    order = ErasureOrder(
        name="a" * 32,
        ground=Ground.PERMIT_OVER,
        permit=permit,
        partitions=("1" * 32,),
        decided_at=START,
        log_size=2,
    )
    envelope = sign_order(order, origin=ORIGIN, signers=[cast["hub"]])
    check_signers(open_order(envelope, roots=cast.roots), [partition])


def test_a_permits_end_reaches_its_project_and_its_secret(cast: Cast) -> None:
    check(cast, permit="diabetes", partition=Partition(PartitionKind.PROJECT, "diabetes"))
    check(cast, permit="diabetes", partition=Partition(PartitionKind.SECRET, "pp-diabetes"))


@pytest.mark.parametrize(
    ("permit", "partition"),
    [
        ("stage-2", Partition(PartitionKind.SECRET, "stage-2")),
        ("pp-diabetes", Partition(PartitionKind.SECRET, "pp-diabetes")),
        ("asthma", Partition(PartitionKind.PROJECT, "pp-asthma")),
    ],
)
def test_the_end_of_a_permit_reaches_no_partition_that_is_called_like_it(
    cast: Cast, permit: str, partition: Partition
) -> None:
    with pytest.raises(NotGenuine, match="names another's partition"):
        check(cast, permit=permit, partition=partition)
