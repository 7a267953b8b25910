"""P3: an extract has the permit's tables, columns, period and people, nothing else, under names of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted, ingested, permit_text
from havre.application.ceremony import PartitionCatalogue
from havre.application.ingest import newest_version
from havre.application.vault.keys import KeysWanted
from havre.application.vault.reading import ListedFile, ReadPlace, manifest_locations
from havre.bootstrap.schemas import core_tables
from havre.domain.catalogue import BuiltTable
from havre.domain.events import ExtractMade, events_of
from havre.domain.permit import OutsidePermit, TableGrant
from havre.domain.permit_check import PermitFaults
from havre.domain.plan_making import make_plan
from havre.domain.schema import TableSchema
from havre.domain.statements import envelope_digest
from havre.values import Partition, PartitionKind

IMB = next(built.schema for built in core_tables() if built.schema.name == "IR_IMB_R")
SURROGATES = {
    "BEN_NIR_PSA",
    "BEN_IDT_ANO",
    "NIR_ANO_17",
    "DCT_ORD_NUM",
    "ORG_CLE_NUM",
    "FLX_EMT_NUM",
    "ETA_NUM",
    "RSA_NUM",
}


def opened_extract(hub: SmallHub, name: str = PERMIT_NAME) -> dict[str, pl.DataFrame]:
    """Open a project's newest extract as its own run would."""
    opened = hub.open()
    project = PartitionCatalogue(opened.records, log=opened.log).find(
        Partition(PartitionKind.PROJECT, name)
    )
    standing = opened.permits.standing(name)
    events = [each.event for each in opened.log.entries()]
    made = [each for each in events_of(events, ExtractMade) if each.permit == name][-1]
    place = ReadPlace(project.partition, project.partition_id)
    wanted = KeysWanted(
        purpose="run",
        partitions=[project],
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )
    tables: dict[str, pl.DataFrame] = {}
    with opened.release.open(wanted) as keys:
        reader = opened.reader(keys)
        locations = manifest_locations(opened.records.list_documents("manifest"))
        manifest = reader.read_manifest(
            locations[made.manifest_sha256], place=place, sha256=made.manifest_sha256
        )
        for entry in manifest.entries:
            with reader.read_table(ListedFile(place, entry)) as rows:
                tables[entry.table] = pl.DataFrame(rows)
    return tables


@pytest.fixture(scope="module")
def two_projects(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    hub = copy_of(granted(), tmp_path_factory.mktemp("two"))
    hub.ask(permit_text(**{'name = "diabetes-regions"': 'name = "second"'}), "second")
    hub.open().extraction.extract("second")
    return opened_extract(hub), opened_extract(hub, "second")


def test_an_extract_has_the_permits_tables_and_columns_and_no_other() -> None:
    permit = granted().open().permits.standing(PERMIT_NAME).permit

    tables = opened_extract(granted())

    assert {name: set(rows.columns) for name, rows in tables.items()} == {
        grant.table: set(grant.columns) for grant in permit.tables
    }
    assert all(rows.height for rows in tables.values())


def test_an_extract_has_the_permits_period_and_people_and_no_other() -> None:
    tables = opened_extract(granted())

    born = tables["IR_BEN_R"]["BEN_NAI_ANN"]
    care = tables["ER_PRS_F"]["EXE_SOI_DTD"]
    assert born.is_between(1925, 2007).all()
    assert care.dt.year().is_between(2022, 2024).all()
    people = set(tables["IR_BEN_R"]["BEN_NIR_PSA"])
    assert set(tables["ER_PRS_F"]["BEN_NIR_PSA"]) <= people
    assert set(tables["T_MCOaaC"]["NIR_ANO_17"].drop_nulls()) <= people


def test_a_shorter_period_and_fewer_people_give_exactly_those_rows(tmp_path: Path) -> None:
    """Counted against the holder's own files, by other code."""
    hub = copy_of(ingested(), tmp_path)
    hub.ask(
        permit_text(
            **{
                "period = [2022-01-01, 2024-12-31]": "period = [2023-03-01, 2023-06-30]",
                "birth_years = [1925, 2007]": "birth_years = [1950, 1969]",
            }
        )
    )
    hub.open().extraction.extract(PERMIT_NAME)
    raw = pl.concat(
        pl.read_csv(path, separator=";", infer_schema=False, truncate_ragged_lines=True)
        for path in sorted(hub.deliveries.glob("dcir-*/ER_PRS_F.csv"))
        if f"{path.parent.name}/{path.name}" not in hub.truth["planted"]
    )
    planted = [name.split("/")[0] for name in hub.truth["planted"]]
    wanted = raw.filter(
        pl.col("EXE_SOI_DTD").is_between(pl.lit("2023-03-01"), pl.lit("2023-06-30")),
        pl.col("BEN_NAI_ANN").cast(pl.Int32).is_between(1950, 1969),
    )

    tables = opened_extract(hub)

    got = tables["ER_PRS_F"]
    assert (
        got["EXE_SOI_DTD"]
        .dt.strftime("%Y-%m-%d")
        .is_between(pl.lit("2023-03-01"), pl.lit("2023-06-30"))
        .all()
        or got.is_empty()
    )
    spoiled = sum(
        path.read_bytes().count(b"\n")
        for path in hub.deliveries.glob("dcir-*/ER_PRS_F.csv")
        if path.parent.name in planted
    )
    assert wanted.height <= got.height <= wanted.height + spoiled
    assert got.height > 0


def test_two_projects_share_no_surrogate(
    two_projects: tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]],
) -> None:
    """The join attack: nothing that was made to differ joins."""
    first, second = two_projects
    for table, rows in first.items():
        for column in SURROGATES & set(rows.columns):
            mine, theirs = set(rows[column].drop_nulls()), set(second[table][column].drop_nulls())
            assert mine
            assert not mine & theirs


def test_two_projects_have_the_same_people_in_another_order(
    two_projects: tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]],
) -> None:
    first, second = (each["IR_BEN_R"] for each in two_projects)

    assert first.height == second.height
    plain = ["BEN_NAI_ANN", "BEN_SEX_COD", "BEN_RES_DPT"]
    assert first.select(plain).sort(plain).equals(second.select(plain).sort(plain))
    assert not first.select(plain).equals(second.select(plain))


def test_clinical_attributes_do_join_and_that_is_said(
    two_projects: tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]],
) -> None:
    """What pseudonyms cannot prevent: a rare combination of facts is the same in both extracts."""
    first, second = (each["IR_BEN_R"] for each in two_projects)
    plain = ["BEN_NAI_ANN", "BEN_SEX_COD", "BEN_RES_DPT"]

    alone = first.group_by(plain).len().filter(pl.col("len") == 1)
    joined = alone.join(second.group_by(plain).len().filter(pl.col("len") == 1), on=plain)

    assert joined.height == alone.height > 0


def opened_lake(hub: SmallHub) -> dict[str, pl.DataFrame]:
    """Open what the permit reaches of the lake itself, as the making of its extract does."""
    opened = hub.open()
    standing = opened.permits.standing(PERMIT_NAME)
    versions = {
        dataset: newest_version(opened.log, dataset) or 0 for dataset in standing.permit.years
    }
    wanted = KeysWanted(
        purpose="extract",
        partitions=opened.extraction._reached(standing.permit, versions),
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )
    tables: dict[str, list[pl.DataFrame]] = {}
    with opened.release.open(wanted) as keys:
        reader = opened.reader(keys)
        for file in opened.extraction._files(standing.permit, versions, keys):
            with reader.read_table(file) as rows:
                tables.setdefault(file.entry.table, []).append(pl.DataFrame(rows))
    return {table: pl.concat(parts, how="diagonal_relaxed") for table, parts in tables.items()}


@dataclass(frozen=True)
class Drawn:
    """What a permit of this test limits."""

    first: date
    days: int
    born: tuple[int, int]
    departments: tuple[str, ...]

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days)

    def text(self, name: str) -> str:
        listed = ", ".join(f'"{each}"' for each in self.departments)
        return permit_text(
            **{
                'name = "diabetes-regions"': f'name = "{name}"',
                "period = [2022-01-01, 2024-12-31]": f"period = [{self.first}, {self.last}]",
                "birth_years = [1925, 2007]": (
                    f"birth_years = [{self.born[0]}, {self.born[1]}]\ndepartments = [{listed}]"
                ),
            }
        )


DEPARTMENTS = st.lists(
    st.sampled_from(["075", "059", "013", "069", "033", "093"]), min_size=1, max_size=4, unique=True
)
PERMITS = st.builds(
    Drawn,
    first=st.dates(date(2023, 1, 1), date(2024, 9, 30)),
    days=st.integers(20, 400),
    born=st.tuples(st.integers(1930, 1960), st.integers(1961, 2005)),
    departments=DEPARTMENTS.map(lambda each: tuple(sorted(each))),
)


def expected(lake: dict[str, pl.DataFrame], drawn: Drawn) -> tuple[int, Counter[date]]:
    """The people of a permit, and their care by day: read off the lake row by row."""
    people = {
        row["BEN_NIR_PSA"]
        for row in lake["IR_BEN_R"].iter_rows(named=True)
        if drawn.born[0] <= (row["BEN_NAI_ANN"] or 0) <= drawn.born[1]
        and row["BEN_RES_DPT"] in drawn.departments
    }
    care = Counter(
        row["EXE_SOI_DTD"]
        for row in lake["ER_PRS_F"].iter_rows(named=True)
        if row["BEN_NIR_PSA"] in people
        and row["EXE_SOI_DTD"]
        and drawn.first <= row["EXE_SOI_DTD"] <= drawn.last
    )
    return len(people), care


@pytest.fixture(scope="module")
def lake() -> dict[str, pl.DataFrame]:
    return opened_lake(granted())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> SmallHub:
    return copy_of(granted(), tmp_path_factory.mktemp("many"))


def minimum(hub: SmallHub, drawn: Drawn) -> tuple[int, Counter[date]]:
    name = f"drawn-{len(hub.open().log.entries())}"
    hub.ask(drawn.text(name), name)
    hub.open().extraction.extract(name)
    tables = opened_extract(hub, name)
    care = tables.get("ER_PRS_F", pl.DataFrame({"EXE_SOI_DTD": []}))
    return tables["IR_BEN_R"]["BEN_NIR_PSA"].n_unique(), Counter(care["EXE_SOI_DTD"])


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=PERMITS)
def test_whatever_a_permit_limits_its_extract_has_just_that(
    many: SmallHub, lake: dict[str, pl.DataFrame], drawn: Drawn
) -> None:
    assert minimum(many, drawn) == expected(lake, drawn)


NARROW = Drawn(date(2023, 3, 1), 90, (1940, 1985), ("059", "075"))
CARELESS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "the period": lambda limits: {**limits, "period": (date(2022, 1, 1), date(2024, 12, 31))},
    "the departments": lambda limits: {
        **limits,
        "population": replace(limits["population"], departments=()),
    },
    "the years of birth": lambda limits: {
        **limits,
        "population": replace(limits["population"], birth_years=None),
    },
}


@pytest.mark.parametrize("forgotten", CARELESS)
def test_a_plan_that_forgets_a_limit_is_noticed(
    many: SmallHub,
    lake: dict[str, pl.DataFrame],
    forgotten: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(grants: Any, **limits: Any) -> Any:
        return make_plan(grants, **CARELESS[forgotten](limits))

    monkeypatch.setattr("havre.application.extract.make_plan", careless)

    assert minimum(many, NARROW) != expected(lake, NARROW)


def spelled(cells: pl.Series) -> set[str]:
    """A column of surrogates as text, however it is kept."""
    texts = cells.bin.encode("hex") if cells.dtype == pl.Binary else cells.cast(pl.String)
    return set(texts.drop_nulls()) - {""}


def test_no_surrogate_of_the_lake_or_of_a_holder_is_in_an_extract() -> None:
    hub = granted()
    extract, lake = opened_extract(hub), opened_lake(hub)
    truth = (hub.root / "files/truth/people.csv").read_text()

    compared = 0
    for table, rows in extract.items():
        for column in sorted(SURROGATES & set(rows.columns)):
            ours = spelled(rows[column])
            assert not ours & spelled(lake[table][column]), f"{table}.{column}"
            assert not [number for number in list(ours)[:50] if number in truth]
            compared += len(ours)
    assert compared > 1000


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (
            TableGrant("dcir", "ER_PRS_F", ("BEN_NIR_PSA", "PSE_SPE_COD", "PFS_EXE_NUM")),
            "PFS_EXE_NUM, ER_PRS_F.PSE_SPE_COD",
        ),
        (TableGrant("cepidc", "KI_CCI_R", ("DCD_CIM_COD",)), "KI_CCI_R.DCD_CIM_COD"),
        (
            TableGrant("dcir", "ER_PRS_F", ("DCT_ORD_NUM",), ("DCT_ORD_NUM",)),
            "the true ER_PRS_F.DCT_ORD_NUM",
        ),
        (TableGrant("pmsi-mco", "T_MCOaaUM", ()), "T_MCOaaUM"),
    ],
)
def test_a_plan_that_reaches_past_its_permit_is_refused_and_every_column_is_named(
    asked: TableGrant, named: str
) -> None:
    with pytest.raises(OutsidePermit, match=named):
        granted().open().extraction.extract(PERMIT_NAME, asked=[asked])


def test_a_permit_on_a_table_that_no_period_could_cut_is_refused_when_it_is_asked_for(
    tmp_path: Path,
) -> None:
    hub = copy_of(ingested(), tmp_path / "undated")
    undated = TableSchema(name="IR_IMB_R", dataset="beneficiaires", columns=IMB.columns)
    hub.open().catalogue.import_tables([BuiltTable(undated, ())])

    with pytest.raises(PermitFaults, match="IR_IMB_R has no date that the period could cut"):
        hub.ask(permit_text())
