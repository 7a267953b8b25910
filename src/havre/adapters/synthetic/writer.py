"""The made-up population as deliveries: one folder each, as a holder would prepare them.

A delivery is a folder with `delivery.toml` and text files. Beside the deliveries
stands the truth (who is who, who fell ill when, which lines were broken on
purpose), which no holder has and no hub is given.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from havre.adapters.synthetic.care import Lines, draw_lines, service_columns
from havre.adapters.synthetic.faults import Planted, plant_faults
from havre.adapters.synthetic.hospital import draw_stays
from havre.adapters.synthetic.people import NEVER, Ints, People, Period, draw_people
from havre.adapters.synthetic.registers import (
    beneficiaries,
    deaths,
    identity_numbers,
    long_illnesses,
)
from havre.errors import Refused

DELIMITER = ";"
# Deliveries of these flows get broken lines; the last ends without a newline.
_FAULTY_FLOWS = (3, 11, 19)


@dataclass(frozen=True, slots=True)
class SyntheticOrder:
    """What is to be made.

    people: at most a million; they are held in memory together.
    first_year, years: of care.
    """

    people: int
    first_year: int
    years: int
    seed: int


@dataclass(frozen=True, slots=True)
class WrittenDelivery:
    """One delivery that was written: its folder, its files, its data lines."""

    name: str
    folder: Path
    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    table: str
    body: bytes
    constants: Mapping[str, str]


def write_population(
    order: SyntheticOrder, folder: Path, *, progress: Callable[[int, int], None]
) -> list[WrittenDelivery]:
    """Write every delivery of a made-up population, and the truth beside them.

    progress: told how many deliveries are written, and of how many.

    Raises:
        Refused: the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused(
            "The folder for the synthetic deliveries is not empty.",
            hint="Name another folder, or remove this one.",
        )
    random = np.random.default_rng(order.seed)
    period = Period(order.first_year, order.years)
    people = draw_people(order.people, period=period, random=random)
    lines = draw_lines(people, period=period, random=random)
    stays = draw_stays(people, period=period, random=random)
    registers = {
        "IR_BEN_R": beneficiaries(people, period=period),
        "IR_IMB_R": long_illnesses(people, period=period, random=random),
    }
    certificates = deaths(people, period=period, random=random)
    planted: dict[str, Planted] = {}
    deliveries = [
        *_of_registers(registers, period),
        *_of_stays(stays),
        *_of_deaths(certificates),
        *_of_flows(lines, planted),
    ]
    written = []
    with _whole_or_nothing(folder / "deliveries", folder / "truth"):
        for number, (name, dataset, files) in enumerate(deliveries, 1):
            written.append(_write_delivery(folder / "deliveries" / name, name, dataset, files()))
            progress(number, len(deliveries))
        _write_truth(folder / "truth", people, planted, written)
    return written


@contextmanager
def _whole_or_nothing(*folders: Path) -> Iterator[None]:
    """Take away what was begun when the disk is full or a person stops: half a population is none."""
    try:
        yield
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise


_Files = Callable[[], list[_File]]
_Delivery = tuple[str, str, _Files]


def _of_registers(tables: Mapping[str, pl.DataFrame], period: Period) -> Iterator[_Delivery]:
    last = period.first_year + period.years - 1
    yield (
        f"beneficiaires-{last}",
        "beneficiaires",
        partial(_whole, tables),
    )


def _whole(tables: Mapping[str, pl.DataFrame]) -> list[_File]:
    return [_file(f"{name}.csv", name, table) for name, table in tables.items()]


def _of_stays(stays: Mapping[str, pl.DataFrame]) -> Iterator[_Delivery]:
    for year in sorted(stays["C"]["MCO_ANN"].unique().to_list()):
        yield f"pmsi-mco-{year}", "pmsi-mco", partial(_year_of_stays, stays, year)


def _year_of_stays(stays: Mapping[str, pl.DataFrame], year: int) -> list[_File]:
    """The tables of one year: the year stands in their names and not in their columns."""
    return [
        _file(
            f"T_MCO{year % 100:02d}{letters}.csv",
            f"T_MCOaa{letters}",
            table.filter(pl.col("MCO_ANN") == year).drop("MCO_ANN"),
            constants={"MCO_ANN": str(year)},
        )
        for letters, table in stays.items()
    ]


def _of_deaths(certificates: pl.DataFrame) -> Iterator[_Delivery]:
    for year in sorted(certificates["FLX_PER_ANN"].unique().to_list()):
        of_year = certificates.filter(pl.col("FLX_PER_ANN") == year)
        yield (
            f"cepidc-{year}",
            "cepidc",
            partial(_whole, {"KI_CCI_R": of_year}),
        )


def _of_flows(lines: Lines, planted: dict[str, Planted]) -> Iterator[_Delivery]:
    months = sorted(lines.services["month"].unique().to_list())
    parts = {
        name: table.partition_by("month", as_dict=True)
        for name, table in (
            ("ER_PRS_F", lines.services),
            ("ER_PHA_F", lines.drugs),
            ("ER_CAM_F", lines.acts),
        )
    }
    empty = {"ER_PHA_F": lines.drugs.clear(), "ER_CAM_F": lines.acts.clear()}
    for number, month in enumerate(months):
        name = f"dcir-{month:%Y-%m}"

        def files(name: str = name, month: date = month, number: int = number) -> list[_File]:
            services = service_columns(parts["ER_PRS_F"][month,])
            central = _file("ER_PRS_F.csv", "ER_PRS_F", services)
            if number in _FAULTY_FLOWS and services.height > 100:
                central = _spoiled(central, services, name, planted)
            rest = [
                _file(f"{table}.csv", table, parts[table].get((month,), empty[table]).drop("month"))
                for table in empty
            ]
            return [central, *rest]

        yield name, "dcir", files


def _spoiled(file: _File, services: pl.DataFrame, name: str, planted: dict[str, Planted]) -> _File:
    body, truth = plant_faults(
        file.body,
        delimiter=DELIMITER.encode(),
        wrong_type_at=services.columns.index("PRS_ACT_QTE"),
    )
    planted[f"{name}/{file.path}"] = truth
    # No newline at the end: still a line.
    return _File(file.path, file.table, body.rstrip(b"\n"), file.constants)


def _file(
    path: str, table: str, rows: pl.DataFrame, *, constants: Mapping[str, str] | None = None
) -> _File:
    scale = 5 if "PHA_ACT_PRU" in rows.columns else 2
    buffer = io.BytesIO()
    rows.write_csv(buffer, separator=DELIMITER, float_precision=scale, quote_style="never")
    return _File(path, table, buffer.getvalue(), constants or {})


def _write_delivery(folder: Path, name: str, dataset: str, files: list[_File]) -> WrittenDelivery:
    folder.mkdir(parents=True)
    listed = [
        'format = "havre/v1/delivery"',
        f'name = "{name}"',
        f'dataset = "{dataset}"',
        "",
        "[layout]",
        f'delimiter = "{DELIMITER}"',
        'encoding = "utf-8"',
    ]
    lines = 0
    for file in files:
        (folder / file.path).write_bytes(file.body)
        lines += file.body.count(b"\n") - 1 + (not file.body.endswith(b"\n"))
        constants = ", ".join(f'{key} = "{value}"' for key, value in file.constants.items())
        listed += [
            "",
            "[[files]]",
            f'path = "{file.path}"',
            f'table = "{file.table}"',
            f'sha256 = "{hashlib.sha256(file.body).hexdigest()}"',
            f"size_bytes = {len(file.body)}",
            *([f"constants = {{ {constants} }}"] if constants else []),
        ]
    (folder / "delivery.toml").write_text("\n".join(listed) + "\n", encoding="utf-8")
    return WrittenDelivery(name, folder, len(files), lines)


def _write_truth(
    folder: Path, people: People, planted: Mapping[str, Planted], written: list[WrittenDelivery]
) -> None:
    folder.mkdir(parents=True)
    first, second = identity_numbers(people)

    def day(values: Ints) -> pl.Expr:
        days = pl.Series("day", values).cast(pl.Int32)
        return pl.when(pl.lit(days) < NEVER).then(pl.lit(days)).otherwise(None).cast(pl.Date)

    pl.DataFrame({"person": np.arange(people.count)}).with_columns(
        pl.Series("number_1", people.identifiers[0]),
        pl.Series("number_2", people.identifiers[1]),
        pl.Series("identity_1", first),
        pl.Series("identity_2", second),
        pl.Series("region", people.region),
        day(people.born).alias("born"),
        day(people.diabetes).alias("diabetes"),
        day(people.failure).alias("heart_failure"),
        day(people.dies).alias("dies"),
    ).write_csv(folder / "people.csv")
    faults = {
        file: [
            {"fault": fault, "lines": count, "fate": fate}
            for (fault, fate), count in sorted(truth.lines.items())
        ]
        for file, truth in planted.items()
    }
    body = {
        "planted": faults,
        "lines": {delivery.name: delivery.lines for delivery in written},
    }
    (folder / "truth.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
