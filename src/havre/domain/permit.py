"""What a permit grants: who, why, which tables, columns, people and years, until when.

Or, of a permit for upkeep, which partitions the hub may open once for its own data.

A permit is public text. Where it stands is `domain.permit_states`; how it is
written and signed is `domain.permit_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.upkeep import STAGE_2_SECRET, UpkeepKind
from havre.errors import Refused
from havre.values import Partition, PartitionKind

# No count of fewer people leaves the SNDS (its rules of output); a permit may only raise it.
LEAST_COUNT = 11
# What may come out at all; `domain.disclosure` has the rules of each.
OUTPUT_KINDS = ("table", "figure", "text")


class OutsidePermit(Refused):
    """Something reaches past what a permit grants."""


@dataclass(frozen=True, slots=True)
class Population:
    """Which people a permit is about; null means no limit.

    birth_years: first and last year of birth, both included.
    departments: codes of the departments of residence, or empty for all.
    """

    birth_years: tuple[int, int] | None = None
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableGrant:
    """One table of a permit.

    true_keys: technical keys that the project gets as they are; the others are
        replaced by the project's own.
    """

    dataset: str
    table: str
    columns: tuple[str, ...]
    true_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputRules:
    """What may come out.

    min_count: the smallest count shown, of people; at least `LEAST_COUNT`.
    kinds: some of `OUTPUT_KINDS`.
    """

    min_count: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What the authorities sign.

    name: short public name; also the name of the project.
    applicant: party name of who asks, and who therefore may not sign.
    people: party names of those who may run code on the extract.
    period: first and last day of care, both included.
    starts_on, ends_on: days in UTC, both included.
    years: dataset to the lake partitions (calendar years, 0 for undated rows)
        that the period reaches; what custodians compare a request with.
    environment_sha256: the study environment that code may run in.
    despite_oppositions: why people who object are in the extract all the same (EHDS,
        article 71(4)); empty for every other permit, whose extracts leave them out.
    upkeep: what the hub may do with its own data, or null for a project. A permit for
        upkeep gives nobody anything: it has no tables, no limit on people, no outputs and
        no environment, its period is its own days, and its people are the hub.
    """

    name: str
    title: str
    purpose: str
    applicant: str
    people: tuple[str, ...]
    period: tuple[date, date]
    starts_on: date
    ends_on: date
    tables: tuple[TableGrant, ...]
    population: Population
    output: OutputRules
    environment_sha256: str
    years: Mapping[str, tuple[int, ...]]
    despite_oppositions: str = ""
    upkeep: UpkeepKind | None = None

    def covers(self, partition: Partition) -> None:
        """Make sure a partition is within this permit.

        A dataset partition must be of a granted dataset and year; a project
        partition and the project's pseudonym secret must bear its name. The
        registers of people who object are within every permit that leaves them out.
        A permit for upkeep has no project; one for rows set aside reaches the hub's
        own pseudonym secret, because what is replayed is pseudonymised.

        Raises:
            OutsidePermit: the partition is anything else.
        """
        within = {
            PartitionKind.DATASET: partition.year in self._years_of(partition.name),
            PartitionKind.PROJECT: self.upkeep is None and partition.name == self.name,
            PartitionKind.SECRET: partition.name == self._secret,
            PartitionKind.LANDING: False,
        }
        if not within[partition.kind]:
            raise OutsidePermit(
                f"Permit {self.name} does not cover the partition {partition.text}.",
                hint="Ask for a permit that names this dataset and these years.",
            )

    @property
    def _secret(self) -> str | None:
        if self.upkeep is None:
            return project_secret(self.name)
        return STAGE_2_SECRET if self.upkeep is UpkeepKind.QUARANTINE else None

    def _years_of(self, dataset: str) -> tuple[int, ...]:
        if dataset == OPPOSITIONS_DATASET and self.upkeep is None:
            return () if self.despite_oppositions else (0,)
        return self.years.get(dataset, ())


def project_secret(permit: str) -> str:
    """Name the secret partition that holds a project's pseudonym secret.

    >>> project_secret("diabetes")
    'pp-diabetes'
    """
    return f"pp-{permit}"
