"""The catalogue as everybody may see it: what was said, what was counted, what was judged.

Put together from public things alone: the log, the disclosed descriptions and labels of
versions, the operator's words. Pages, HealthDCAT-AP and Croissant are three ways to write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from havre.domain.content import TableCount
from havre.domain.dataset_card import CatalogueCard, DatasetCard
from havre.domain.description import (
    DatasetDescription,
    TableDescription,
    describe_table,
    join_versions,
)
from havre.domain.quality import QualityLabel
from havre.domain.schema import Catalogue


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version.

    index: of its entry on the log. rows, withdrawn: that it added and took back, rounded, as
        the log has them.
    description, label: null of a version that was made before they were.
    """

    index: int
    at: datetime
    rows: int
    withdrawn: int = 0
    description: DatasetDescription | None = None
    label: QualityLabel | None = None


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file of made-up rows. path: inside the site."""

    table: str
    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DatasetView:
    """One dataset: its tables over all versions, its versions, the oldest first, its sample.

    periods: by table, the column whose date a permit's period is about.
    """

    card: DatasetCard
    tables: tuple[TableDescription, ...]
    versions: tuple[VersionView, ...]
    sample: tuple[SampleFile, ...] = ()
    periods: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The dataset's short name."""
        return self.card.name

    @property
    def rows(self) -> int:
        """Rows of all versions, rounded, as the log has them."""
        return max(0, sum(each.rows - each.withdrawn for each in self.versions))

    @property
    def people(self) -> int | None:
        """At least so many people, of the table that names the most; null when none tells."""
        return max((each.people for each in self.tables if each.people is not None), default=None)

    @property
    def label(self) -> QualityLabel | None:
        """The newest version's label, or null."""
        return self.versions[-1].label if self.versions else None

    @property
    def period(self) -> tuple[str, str] | None:
        """First and last month, or year, of the tables' periods; null when none is shown."""
        spans = [
            (variable.low, variable.high)
            for table in self.tables
            for variable in table.variables
            if variable.name == self.periods.get(table.name)
            and variable.low is not None
            and variable.high is not None
        ]
        if not spans:
            return None
        return min(low for low, _ in spans), max(high for _, high in spans)


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """Every dataset of which the hub knows a table, in order of name."""

    card: CatalogueCard = field(default_factory=CatalogueCard)
    datasets: tuple[DatasetView, ...] = ()

    def dataset(self, name: str) -> DatasetView | None:
        """Find a dataset; null when there is none of this name."""
        return next((each for each in self.datasets if each.name == name), None)


def view_dataset(
    card: DatasetCard,
    catalogue: Catalogue,
    versions: Sequence[VersionView],
    *,
    sample: Sequence[SampleFile] = (),
) -> DatasetView:
    """Put together what is known of a dataset.

    versions: the oldest first. Tables that no version describes are shown as declared.
    """
    schemas = {each.name: each for each in catalogue.tables if each.dataset == card.name}
    told = {
        each.name: each
        for each in join_versions(v.description for v in versions if v.description is not None)
        if each.name in schemas
    }
    for name, schema in schemas.items():
        if name not in told:
            told[name] = describe_table(TableCount(name, 0, None, ()), schema=schema)
    return DatasetView(
        card,
        tuple(told[name] for name in sorted(told)),
        tuple(versions),
        tuple(sample),
        {name: each.period_column for name, each in schemas.items() if each.period_column},
    )
