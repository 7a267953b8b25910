"""The made-up population as deliveries: one folder each, as a holder would prepare them.

Blocks of people are drawn by several processes, each of which writes files of its
own. A delivery is a folder with `delivery.toml` and those files. Beside the
deliveries stands the truth, which no holder has and no hub is given.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from havre.adapters.synthetic.faults import Planted, check_faults, plant_in_files
from havre.adapters.synthetic.files import DELIMITER
from havre.adapters.synthetic.order import (
    FileForm,
    SyntheticOrder,
    WrittenDelivery,
    WrittenFile,
)
from havre.errors import Refused


def write_population(
    order: SyntheticOrder,
    folder: Path,
    *,
    processes: int,
    progress: Callable[[int, int], None],
) -> list[WrittenDelivery]:
    """Write every delivery of a made-up population, and the truth beside them.

    processes: how many draw at once; the bytes are the same whatever it is.
    progress: told how many blocks and deliveries are done, and of how many.

    Raises:
        Refused: the folder holds something already.
        InvalidInput: there is no fault of such a name.
    """
    check_faults(order.faults)
    if folder.exists() and any(folder.iterdir()):
        raise Refused(
            "The folder for the synthetic deliveries is not empty.",
            hint="Name another folder, or remove this one.",
        )
    written: list[WrittenDelivery] = []
    with _whole_or_nothing(folder / "deliveries", folder / "truth"):
        files = []
        for done, of_block in enumerate(_blocks(order, folder, processes), 1):
            files += of_block
            progress(done, order.blocks + 1)
        files, planted = plant_in_files(files, folder / "deliveries", order.faults)
        deliveries: dict[str, list[WrittenFile]] = {}
        for file in files:
            deliveries.setdefault(file.delivery, []).append(file)
        for number, (name, listed) in enumerate(sorted(deliveries.items()), 1):
            written.append(_announce(folder / "deliveries" / name, name, listed, order.form))
            progress(order.blocks + number, order.blocks + len(deliveries))
        _write_counts(folder / "truth", planted, written)
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


def _blocks(order: SyntheticOrder, folder: Path, processes: int) -> Iterator[list[WrittenFile]]:
    """What each block wrote, in their order."""
    at_once = min(processes, order.blocks)
    if at_once <= 1:
        for number in range(order.blocks):
            yield _write(order, number, folder)
        return
    executor = ProcessPoolExecutor(
        at_once, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread_each
    )
    try:
        numbers = range(order.blocks)
        yield from executor.map(_write, [order] * len(numbers), numbers, [folder] * len(numbers))
    finally:
        executor.shutdown(cancel_futures=True)


def _one_thread_each() -> None:
    """Before Polars is imported in a new process: as many processes as cores are enough."""
    os.environ["POLARS_MAX_THREADS"] = "1"


def _write(order: SyntheticOrder, number: int, folder: Path) -> list[WrittenFile]:
    # Imported here, so that a new process has set its threads before.
    from havre.adapters.synthetic.block import write_block

    return write_block(order, number, folder)


def _announce(folder: Path, name: str, files: list[WrittenFile], form: FileForm) -> WrittenDelivery:
    """Write the announcement of a delivery."""
    layout = ['kind = "parquet"']
    if form is FileForm.CSV:
        layout = [f'delimiter = "{DELIMITER}"', 'encoding = "utf-8"']
    listed = [
        'format = "havre/v1/delivery"',
        f'name = "{name}"',
        f'dataset = "{files[0].dataset}"',
        "",
        "[layout]",
        *layout,
    ]
    for file in files:
        constants = ", ".join(f'{key} = "{value}"' for key, value in file.constants)
        listed += [
            "",
            "[[files]]",
            f'path = "{file.path}"',
            f'table = "{file.table}"',
            f'sha256 = "{file.sha256}"',
            f"size_bytes = {file.size_bytes}",
            *([f"constants = {{ {constants} }}"] if constants else []),
        ]
    (folder / "delivery.toml").write_text("\n".join(listed) + "\n", encoding="utf-8")
    return WrittenDelivery(name, folder, len(files), sum(file.lines for file in files))


def _write_counts(
    folder: Path, planted: Mapping[str, Planted], written: list[WrittenDelivery]
) -> None:
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
