"""P3: nobody who objects is in a new extract, by whatever number the data know them; seen from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes.opposing import object_to, send, take_in
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, ingested, permit_text
from havre.application.ceremony import PartitionCatalogue
from havre.application.oppositions import counting_registers
from havre.application.vault.keys import KeysWanted
from havre.application.vault.reading import ListedFile, ReadPlace, manifest_locations
from havre.domain.events import ExtractMade, KeysRequested
from havre.domain.oppositions import REGISTER
from havre.domain.plan import Plan, TablePlan
from havre.domain.plan_making import make_plan
from havre.domain.statements import envelope_digest
from havre.snds.filing import DCIR_KEYS
from promises.test_p3_the_minimum import opened_extract

NUMBERS = ("BEN_NIR_PSA", "BEN_NIR_ANO", "BEN_IDT_ANO")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> SmallHub:
    return copy_of(ingested(), tmp_path_factory.mktemp("objecting"))


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """Everybody's numbers, as the holder's own file has them: a person has one row or several."""
    (path,) = ingested().deliveries.glob("*/IR_BEN_R.csv")
    rows = pl.read_csv(path, separator=";", infer_schema=False, truncate_ragged_lines=True)
    return rows.select(*NUMBERS, pl.col("BEN_NAI_ANN").cast(pl.Int32, strict=False))


def opened_lake(hub: SmallHub, name: str) -> dict[str, pl.DataFrame]:
    """Read what a permit's extract is cut from, and the register, with the permit's own keys."""
    opened = hub.open()
    standing = opened.permits.standing(name)
    known = PartitionCatalogue(opened.records, log=opened.log).list_partitions()
    entries = [(each.index, each.event) for each in opened.log.entries()]
    counting = counting_registers(entries)
    requests = [each for _, each in entries if isinstance(each, KeysRequested)]
    asked = [each for each in requests if each.purpose == "extract"][-1]
    partitions = [each for each in known if each.partition_id in asked.partitions]
    wanted = KeysWanted(
        purpose="extract",
        partitions=partitions,
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )
    tables: dict[str, list[pl.DataFrame]] = {}
    made = [each for _, each in entries if isinstance(each, ExtractMade)][-1]
    with opened.release.open(wanted) as keys:
        reader = opened.reader(keys)
        places = {
            each.partition_id: ReadPlace(each.partition, each.partition_id) for each in partitions
        }
        files: list[ListedFile] = counting.list_files(
            reader,
            places=places,
            locations=manifest_locations(opened.records.list_documents("manifest")),
        )
        files += opened.extraction._files(standing.permit, made.versions, keys)
        for file in files:
            with reader.read_table(file) as rows:
                tables.setdefault(file.entry.table, []).append(pl.DataFrame(rows))
    return {table: pl.concat(parts, how="diagonal_relaxed") for table, parts in tables.items()}


def objecting(rows: pl.DataFrame, listed: set[Any]) -> set[Any]:
    """Every number of those who are listed, row by row until nothing changes: the naive reference."""
    found = set(listed)
    while True:
        before = len(found)
        for row in rows.select(NUMBERS).iter_rows():
            numbers = {each for each in row if each}
            if numbers & found:
                found |= numbers
        if len(found) == before:
            return found


def expected(lake: dict[str, pl.DataFrame]) -> dict[str, Counter[Any]]:
    """What an extract may have of four tables, worked out by loops."""
    out = objecting(lake["IR_BEN_R"], set(lake[REGISTER.name]["NUMBER"]))
    people = [
        row
        for row in lake["IR_BEN_R"].iter_rows(named=True)
        if row["BEN_NIR_PSA"] not in out and 1925 <= (row["BEN_NAI_ANN"] or 0) <= 2007
    ]
    ranked = {(row["BEN_NIR_PSA"], row["BEN_RNG_GEM"]) for row in people}
    care = [
        row
        for row in lake["ER_PRS_F"].iter_rows(named=True)
        if (row["BEN_NIR_PSA"], row["BEN_RNG_GEM"]) in ranked
        and row["EXE_SOI_DTD"]
        and 2022 <= row["EXE_SOI_DTD"].year <= 2024
    ]
    lines = {tuple(row[key] for key in DCIR_KEYS) for row in care}
    alone = {number for number, _ in ranked}
    return {
        "IR_BEN_R": Counter(row["BEN_NAI_ANN"] for row in people),
        "ER_PRS_F": Counter(row["EXE_SOI_DTD"] for row in care),
        "ER_PHA_F": Counter(
            row["PHA_PRS_C13"]
            for row in lake["ER_PHA_F"].iter_rows(named=True)
            if tuple(row[key] for key in DCIR_KEYS) in lines
        ),
        "T_MCOaaC": Counter(
            row["EXE_SOI_DTD"]
            for row in lake["T_MCOaaC"].iter_rows(named=True)
            if row["NIR_ANO_17"] in alone and row["EXE_SOI_DTD"]
        ),
    }


def got(tables: dict[str, pl.DataFrame]) -> dict[str, Counter[Any]]:
    columns = {
        "IR_BEN_R": "BEN_NAI_ANN",
        "ER_PRS_F": "EXE_SOI_DTD",
        "ER_PHA_F": "PHA_PRS_C13",
        "T_MCOaaC": "EXE_SOI_DTD",
    }
    return {
        table: Counter(tables[table][column] if table in tables else [])
        for table, column in columns.items()
    }


_TIMES = iter(range(10**6))


def extracted(hub: SmallHub) -> tuple[str, dict[str, Counter[Any]]]:
    """A new permit's extract."""
    name = f"objecting-{next(_TIMES)}"
    hub.ask(permit_text(**{f'name = "{PERMIT_NAME}"': f'name = "{name}"'}), name)
    hub.open().extraction.extract(name)
    return name, got(opened_extract(hub, name))


def number_rows(draw: st.DataObject, people: pl.DataFrame) -> list[tuple[str, str]]:
    """Some people, each by one of the numbers that the holder knows them by."""
    places = draw.draw(
        st.lists(st.integers(0, people.height - 1), min_size=1, max_size=60, unique=True)
    )
    column = draw.draw(st.sampled_from(NUMBERS))
    return [(column, number) for number in people[column].gather(places).drop_nulls()]


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    # An example takes a delivery and an extract: a smaller one would not be found by waiting.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(draw=st.data())
def test_whoever_objects_is_in_no_table_of_a_new_extract(
    hub: SmallHub, people: pl.DataFrame, draw: st.DataObject
) -> None:
    listed = number_rows(draw, people)
    send(hub, {f"case {n}": {column: number} for n, (column, number) in enumerate(listed)})
    assert take_in(hub).taken

    name, tables = extracted(hub)

    lake = opened_lake(hub, name)
    assert set(lake["IR_BEN_R"]["BEN_NIR_PSA"])
    assert tables == expected(lake)


def test_a_person_is_left_out_under_the_number_that_nobody_named(
    hub: SmallHub, people: pl.DataFrame
) -> None:
    """Against the truth of the made-up population: whoever has several numbers named one of them."""
    truth = pl.read_csv(ingested().root / "files/truth/numbers.csv", infer_schema=False)
    # Where no row ties numbers together, nothing but the truth of a game knows.
    both = truth.filter(
        pl.col("number").is_in(people["BEN_NIR_PSA"].implode()),
        pl.len().over("person", "identity") > 1,
    )
    assert both.height >= 5
    object_to(hub, [])
    everybody = extracted(hub)[1]["IR_BEN_R"].total()

    object_to(hub, both.unique("person", keep="first", maintain_order=True)["number"].to_list())

    own = people.filter(
        pl.col("BEN_NIR_PSA").is_in(both["number"].implode()),
        pl.col("BEN_NAI_ANN").is_between(1925, 2007),
    )
    assert extracted(hub)[1]["IR_BEN_R"].total() == everybody - own.height


def test_who_objects_no_longer_is_in_the_next_extract(hub: SmallHub, people: pl.DataFrame) -> None:
    object_to(hub, [])
    before = extracted(hub)[1]
    object_to(hub, people["BEN_NIR_PSA"].to_list()[:40])
    without = extracted(hub)[1]

    object_to(hub, [])

    assert without["ER_PRS_F"].total() < before["ER_PRS_F"].total()
    assert extracted(hub)[1] == before


FORGOTTEN: dict[str, Callable[[Plan], Plan]] = {
    "the register": lambda plan: Plan(tuple(replace(part, names=()) for part in plan.tables)),
    "one table": lambda plan: replace(
        plan, tables=tuple(_forgetful(part, "T_MCOaaC") for part in plan.tables)
    ),
    "other numbers": lambda plan: replace(
        plan, oppositions=plan.oppositions and replace(plan.oppositions, ties=())
    ),
}


def _forgetful(part: TablePlan, table: str) -> TablePlan:
    return replace(part, names=(), follows=()) if part.table == table else part


@pytest.mark.parametrize("forgotten", FORGOTTEN)
def test_a_plan_that_forgets_whoever_objects_is_noticed(
    hub: SmallHub, people: pl.DataFrame, forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = pl.read_csv(ingested().root / "files/truth/people.csv", infer_schema=False)
    object_to(hub, truth["number_1"].to_list()[:150])

    def careless(*grants: Any, **limits: Any) -> Plan:
        return FORGOTTEN[forgotten](make_plan(*grants, **limits))

    monkeypatch.setattr("havre.application.extract.make_plan", careless)
    name, tables = extracted(hub)

    monkeypatch.undo()
    extracted(hub)
    lake = opened_lake(hub, list(_names(hub))[-1])
    assert tables != expected(lake)
    assert name


def _names(hub: SmallHub) -> Iterator[str]:
    for logged in hub.open().log.entries():
        if isinstance(logged.event, ExtractMade):
            yield logged.event.permit
