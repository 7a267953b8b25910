"""One block of people from birth to files: a pure function of the seed and the block's number.

Care is drawn in stretches of days, so that what is in memory is bounded however
dense the lines are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from havre.adapters.synthetic.accounting import Lines, month_start, write_down
from havre.adapters.synthetic.after_tables import draw_after_tables
from havre.adapters.synthetic.care import LAST_DAYS, Care
from havre.adapters.synthetic.columns import Wanted
from havre.adapters.synthetic.dcir import Context, draw_tables
from havre.adapters.synthetic.deaths import draw_deaths
from havre.adapters.synthetic.draws import Ints, Theme
from havre.adapters.synthetic.facts import accounts
from havre.adapters.synthetic.files import DeliveryFiles
from havre.adapters.synthetic.houses import draw_houses
from havre.adapters.synthetic.illnesses import Illnesses, draw_illnesses
from havre.adapters.synthetic.mco import draw_mco
from havre.adapters.synthetic.offices import offices_for
from havre.adapters.synthetic.order import ALL_LINES, SyntheticOrder, WrittenFile
from havre.adapters.synthetic.outpatients import draw_outpatients
from havre.adapters.synthetic.people import Block, Period, draw_numbers, draw_people
from havre.adapters.synthetic.recognition import Recognised, draw_recognised
from havre.adapters.synthetic.referentials import make_referentials
from havre.adapters.synthetic.registers import draw_registers
from havre.adapters.synthetic.stay_drugs import draw_stay_drugs
from havre.adapters.synthetic.stays import draw_stays
from havre.adapters.synthetic.truth import write_truth

_LINES_TOGETHER = 300_000
# Places in one day's key of `accounting`, where days are counted from the first.
_MOST_DAYS_TOGETHER = 4_000


def write_block(order: SyntheticOrder, number: int, folder: Path) -> list[WrittenFile]:
    """Draw one block of people, and write its part of every delivery and of the truth."""
    before = number * order.block
    period = Period(order.first_year, order.years)
    count = min(order.block, order.people - before)
    block = Block(order.seed, number, count, before, period)
    people = draw_people(block)
    illnesses = draw_illnesses(people, block)
    stays = draw_stays(people, illnesses, block)
    context = Context(
        people=people,
        numbers=draw_numbers(people, block),
        stays=stays,
        stay_drugs=draw_stay_drugs(stays, illnesses, block),
        houses=draw_houses(stays, people, block),
        dies=illnesses.dies,
        flow=number + 1,
        last_day=period.ends,
    )
    recognised = draw_recognised(illnesses, block)
    wanted = Wanted(order.columns, order.of_years)
    suffix = f"-{number:04d}" if order.blocks > 1 else ""
    files = DeliveryFiles(folder / "deliveries", form=order.form, suffix=suffix)
    for table, rows in draw_registers(context, illnesses, recognised, block, wanted=wanted):
        files.append(f"beneficiaires-{period.last_year}", table, rows, dataset="beneficiaires")
    _write_hospitals(files, order, context, illnesses, block=block)
    for table, year, rows in draw_deaths(context, illnesses, block, wanted):
        files.append(f"cepidc-{year}", table, rows, dataset="cepidc")
    density = order.lines_a_year / accounts.LINES_PER_ACT
    care = Care(people, illnesses, stays, block, density, context.stay_drugs)
    offices = offices_for(order.people)
    _write_flows(files, care, context, recognised, wanted=wanted, offices=offices)
    files.fill("dcir")
    if number == 0:
        for table, rows in make_referentials(period.last_year, offices, wanted):
            files.append(f"referentiels-{period.last_year}", table, rows, dataset="referentiels")
    write_truth(folder / "truth", context, illnesses, recognised, block=block)
    return files.close()


def _write_hospitals(
    files: DeliveryFiles,
    order: SyntheticOrder,
    context: Context,
    illnesses: Illnesses,
    *,
    block: Block,
) -> None:
    """Write what hospitals leave: acute care, outpatients, and the three other domains."""
    wanted = Wanted(order.columns, order.of_years)
    _write_years(files, draw_mco(context, illnesses, block, wanted), "pmsi-mco", "MCO_ANN")
    share = min(order.lines_a_year / ALL_LINES, 1.0)
    if wanted.has("T_MCOaaCSTC"):
        passages = draw_outpatients(context, block, wanted, share=share)
        _write_years(files, passages, "pmsi-mco", "MCO_ANN")
    for domain, tables in draw_after_tables(context, illnesses, block, wanted):
        _write_years(files, tables, f"pmsi-{domain.lower()}", f"{domain}_ANN")


def _write_years(
    files: DeliveryFiles,
    tables: Iterator[tuple[str, int, pl.DataFrame]],
    dataset: str,
    year_column: str,
) -> None:
    """Write tables of the PMSI: the year stands in their names and not in their columns."""
    for table, year, rows in tables:
        files.append(
            f"{dataset}-{year}",
            table,
            rows,
            dataset=dataset,
            stem=table.replace("aa", f"{year % 100:02d}"),
            constants=((year_column, str(year)),),
        )


def _write_flows(
    files: DeliveryFiles,
    care: Care,
    context: Context,
    recognised: Recognised,
    *,
    wanted: Wanted,
    offices: int,
) -> None:
    block = care.block
    claims = 0
    last_month = _months(block.period.ends) + accounts.MONTHS_AFTER
    for part, (first, last) in enumerate(_stretches(care)):
        events = care.events(first, last, part)
        random = block.stream(Theme.ACCOUNTS, part)
        lines, claims = write_down(
            events,
            place=context.people.place_at(events.person, events.day),
            full_from=recognised.first[events.person],
            born=context.people.born[events.person],
            stay_drugs=context.stay_drugs,
            offices=offices,
            claims=claims,
            random=random,
        )
        lines = _arrived(lines, last_month)
        for table, rows, months in draw_tables(lines, context, wanted, random):
            for month, of_month in _by_month(rows, months):
                name = f"dcir-{month_start(month):%Y-%m}"
                files.append(name, table, of_month, dataset="dcir")


def _months(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64))


def _stretches(care: Care) -> Iterator[tuple[int, int]]:
    """The days of the period in stretches of about so many lines, in each of which the same is paid for."""
    period = care.block.period
    a_day = max(care.density * care.people.count / 365, 1e-9)
    days = int(min(max(_LINES_TOGETHER / a_day, 7), _MOST_DAYS_TOGETHER))
    edges = {*range(period.begins, period.ends, days), period.ends}
    edges |= {day for day in LAST_DAYS if period.begins < day < period.ends}
    yield from pairwise(sorted(edges))


def _arrived(lines: Lines, last_month: int) -> Lines:
    """Leave out what arrives after the files end; lines are in the order of their flows."""
    return lines.first(int(np.searchsorted(lines.month, last_month, side="right")))


def _by_month(rows: pl.DataFrame, months: Ints) -> Iterator[tuple[int, pl.DataFrame]]:
    """Part rows, which are in the order of the flow, by its month."""
    listed, begins = np.unique(months, return_index=True)
    ends = [*begins[1:].tolist(), len(months)][: len(begins)]
    for month, first, last in zip(listed.tolist(), begins.tolist(), ends, strict=True):
        yield month, rows.slice(first, last - first)
