"""How fast made-up people are written, with as many lines as there really are.

A few blocks of people, several processes, text files. Counted by the second of processor, since
the machine may be shared; goal: 150,000, which is 300,000 lines a second on two cores.
"""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path

from havre.adapters.synthetic.order import ALL_LINES, SyntheticOrder
from havre.adapters.synthetic.tables import ALL_TABLES
from havre.adapters.synthetic.writer import write_population

PEOPLE, BLOCK, YEARS = 8_000, 4_000, 2


def main() -> dict[str, float]:
    """Measure: lines a second of processor, and the memory of the greatest process."""
    cores = len(os.sched_getaffinity(0))
    order = SyntheticOrder(
        PEOPLE,
        2022,
        YEARS,
        seed=7,
        columns=dict.fromkeys(ALL_TABLES),
        lines_a_year=ALL_LINES,
        block=BLOCK,
    )
    with tempfile.TemporaryDirectory() as folder:
        before = _processor_s()
        written = write_population(order, Path(folder), processes=cores, progress=lambda *_: None)
        seconds = _processor_s() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "synthetic_lines_per_cpu_s": round(sum(each.lines for each in written) / seconds),
        "synthetic_peak_mib": round(peak),
    }


def _processor_s() -> float:
    """Seconds of processor so far, of this process and of those that it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    print(main())
