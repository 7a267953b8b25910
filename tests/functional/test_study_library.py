"""What a study writes with `havre.study`, in the real sandbox, passes the check as it is.

And its statistics agree with SciPy, which only the study environment has.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from fakes.hub_outputs import sidecar
from fakes.small_hub import ENVIRONMENT, environment
from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox
from havre.bootstrap.studies import study_library
from havre.domain.disclosure import check_outputs
from havre.domain.findings import must_findings
from havre.domain.permit import OutputRules
from havre.formats.outputs import parse_outputs
from havre.ports.sandbox import Outcome, SandboxJob, SandboxResult
from havre.study import directly_standardised

RULES = OutputRules(11, ("table", "figure", "text"))

DRAWS = """
import matplotlib.pyplot as plt
import polars as pl
from havre.study import Outputs

rows = pl.DataFrame({"région": ["Corse, Sud", "", None], "n": [20, 30, 40], "rate": [0.5, 1e-7, 3.0]})
outputs = Outputs()
outputs.table("t.csv", rows, title="By région", counts=["n"], measures=["rate"])
for name, face in (("f.png", "white"), ("clear.png", "none")):
    figure, axes = plt.subplots(facecolor=face)
    axes.plot(rows["n"], rows["rate"], alpha=0.5)
    outputs.figure(name, figure, title="By région", underlying="t.csv")
"""

# Births and cases of Down's syndrome by mother's age, Michigan 1950-1964, first and fifth
# children: the data of the worked example of Fay and Feuer 1997 (from Fleiss 1981, p. 249).
CASES = {"1": [107, 141, 60, 40, 39, 25], "5+": [0, 8, 63, 112, 262, 295]}
BIRTHS = {
    "1": [230061, 329449, 114920, 39487, 14208, 3052],
    "5+": [327, 30666, 123419, 149919, 104088, 34392],
}
ALL_BIRTHS = [319933, 931318, 786511, 488235, 237863, 61313]

COMPUTES = """
import json
import numpy as np
from scipy.stats import gamma

cases, births, whole = json.loads(GIVEN)
found = {}
for group in cases:
    x, w = np.array(cases[group]), np.array(whole) / sum(whole) / np.array(births[group])
    rate, variance, most = (w * x).sum(), (w**2 * x).sum(), w.max()
    above, wider = rate + most, variance + most**2
    low = gamma.ppf(0.025, rate**2 / variance, scale=variance / rate)
    high = gamma.ppf(0.975, above**2 / wider, scale=wider / above)
    found[group] = [float(rate), float(low), float(high)]
print(json.dumps(found))
"""


def run(code: str, beside: Mapping[str, bytes] | None = None) -> SandboxResult:
    environment()
    result = BubblewrapSandbox().run(
        SandboxJob(
            code={**study_library(), **(beside or {}), "study.py": code.encode()},
            command=("/env/bin/python", "/code/study.py"),
            environment=str(ENVIRONMENT),
            inputs={},
        )
    )
    assert result.outcome is Outcome.FINISHED, result.words.decode()
    return result


def test_what_the_library_writes_passes_the_check() -> None:
    files = {each.name: each.body for each in run(DRAWS).outputs}

    findings = check_outputs(files, rules=RULES)

    assert must_findings(findings) == []
    assert [(each.file, each.column) for each in findings] == [("t.csv", "rate")]
    assert [each.title for each in parse_outputs(files["outputs.json"])] == ["By région"] * 3


STUDY = Path(__file__).parents[2] / "study/diabetes-heart-failure"
# People who leave on days of a year, some of them dead, in cohorts of all sizes.
FOLLOWS = """
import random

draw = random.Random(4)
for size in [0, 1, 5, 11, 12, 30, 100, 269, 1000, 5000] * 20:
    risk = draw.random()
    left = sorted(min(365, int(draw.expovariate(1 / 300))) for _ in range(size))
    days = sorted({0, *left})
    removed = [left.count(day) for day in days]
    observed = [sum(draw.random() < risk for _ in range(count)) for count in removed]
    events = pd.DataFrame({"removed": removed, "observed": observed}, index=days)
    try:
        print(json.dumps(steps(events).write_csv()))
    except ValueError:
        print(json.dumps(size))
"""


def test_the_study_shows_no_interval_with_few_deaths_whatever_it_finds() -> None:
    text = (STUDY / "study.py").read_text(encoding="utf-8").removesuffix("main()\n")
    codes = {"codes.json": (STUDY / "codes.json").read_bytes()}

    said = [json.loads(line) for line in run(text + FOLLOWS, codes).words.splitlines()]
    tables = [each for each in said if isinstance(each, str)]

    described = {"name": "t.csv", "counts": ["at_risk", "deaths"], "measures": ["day"]}
    for table in tables:
        files = {"outputs.json": sidecar(described), "t.csv": table.encode()}
        assert must_findings(check_outputs(files, rules=RULES)) == []
    assert all(each < 15 for each in said if isinstance(each, int))
    assert sum(table.count("\n") > 2 for table in tables) > len(tables) // 3


def standardised(cases: dict[str, list[int]], births: dict[str, list[int]]) -> pl.DataFrame:
    rates = pl.DataFrame(
        [
            {"group": group, "age": age, "events": events, "time": float(births[group][age])}
            for group, counts in cases.items()
            for age, events in enumerate(counts)
        ]
    )
    standard = pl.DataFrame({"age": range(6), "weight": [float(each) for each in ALL_BIRTHS]})
    return directly_standardised(rates, group="group", stratum="age", standard=standard)


def test_limits_of_rates_are_those_of_an_independent_computation() -> None:
    given = json.dumps([CASES, BIRTHS, ALL_BIRTHS])

    scipy = json.loads(run(COMPUTES.replace("GIVEN", repr(given))).words)

    for group, _, _, *ours in standardised(CASES, BIRTHS).iter_rows():
        assert ours == pytest.approx(scipy[group], rel=1e-9)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    # Exact limits of a Poisson count, Garwood 1936, as in any table of them.
    [(0, 0.0, 3.689), (1, 0.025, 5.572), (12, 6.201, 20.962), (100, 81.364, 121.627)],
)
def test_with_one_stratum_the_limits_are_the_exact_ones(
    events: int, low: float, high: float
) -> None:
    rates = pl.DataFrame({"g": ["a"], "s": [1], "events": [events], "time": [1.0]})
    standard = pl.DataFrame({"s": [1], "weight": [1.0]})

    row = directly_standardised(rates, group="g", stratum="s", standard=standard).row(0)

    assert row[3:] == (pytest.approx(events), *(pytest.approx(x, abs=1e-3) for x in (low, high)))


def test_a_stratum_without_time_counts_as_nothing() -> None:
    rates = pl.DataFrame({"g": ["a"] * 2, "s": [1, 2], "events": [9, 0], "time": [10.0, 0.0]})
    standard = pl.DataFrame({"s": [1, 2], "weight": [1.0, 1.0]})

    (row,) = directly_standardised(rates, group="g", stratum="s", standard=standard).to_dicts()

    assert math.isclose(row["rate"], 0.45)
    assert row["low"] < row["rate"] < row["high"]
