"""Where diabetes begins most often, and who is alive a year after a stay for heart failure.

Diabetes begins on the first day of a recognised long illness (E10 to E14) or of
a drug of class A10, whichever comes first; the first year is a wash-out: who has
a sign of diabetes in it had it before. Rates are per 1,000 person-years,
standardised for age on all the people of the study.

A region with too few cases is not shown. `python study.py one-more` shows one of them
all the same: the mistake that the check of outputs is there for. Survival is shown
only where enough people have died since the point before: who is at risk, times the
fall of the curve, is a number of deaths.
"""

import json
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import polars as pl
from lifelines import KaplanMeierFitter

from havre.study import Outputs, Tables, directly_standardised

BEGINS, ENDS = date(2023, 1, 1), date(2024, 12, 31)
SMALLEST_COUNT = 11
# Where the curve may be shown; a day of the year on which somebody died never is.
DAYS = (0, 61, 122, 183, 243, 304, 365)
CODES = json.loads((Path(__file__).parent / "codes.json").read_text(encoding="utf-8"))
REGION_OF = {
    department.zfill(3): CODES["regions"][region]
    for region, listed in CODES["departments"].items()
    for department in listed.split()
}


def first_signs(tables: Tables) -> pl.LazyFrame:
    """The first sign of diabetes of each person who has one."""
    recognised = (
        tables["IR_IMB_R"]
        .filter(pl.col("MED_MTF_COD").str.slice(0, 3).is_in(["E10", "E11", "E12", "E13", "E14"]))
        .join(tables.numbers(), on=["BEN_NIR_PSA", "BEN_RNG_GEM"])
        .select("person", day="IMB_ALD_DTD")
    )
    treated = tables.dispensings(CODES["diabetes_drugs"]).select("person", "day")
    return pl.concat([recognised, treated]).group_by("person").agg(first=pl.col("day").min())


def at_risk(tables: Tables) -> pl.DataFrame:
    """Adults alive and without diabetes when the wash-out ends, and what became of them."""
    age = BEGINS.year - pl.col("born")
    people = (
        tables.people()
        .join(first_signs(tables), on="person", how="left")
        .filter((age >= 18) & (pl.col("dies").is_null() | (pl.col("dies") > BEGINS)))
        .filter(pl.col("first").is_null() | (pl.col("first") >= BEGINS))
    )
    last = pl.min_horizontal(pl.col("first"), pl.col("dies"), pl.lit(ENDS))
    return people.with_columns(
        age=(age // 10 * 10).clip(20, 80),
        region=pl.col("department").replace_strict(REGION_OF, default="elsewhere"),
        time=(last - pl.lit(BEGINS)).dt.total_days() / 365.25,
        event=pl.col("first").is_not_null() & (pl.col("first") <= ENDS),
    ).collect()


def incidence(people: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """New cases per 1,000 person-years in each group, standardised for age."""
    strata = people.group_by(by, "age").agg(events=pl.col("event").sum(), time=pl.col("time").sum())
    standard = people.group_by("age").agg(weight=pl.col("time").sum())
    rates = directly_standardised(strata, group=by, stratum="age", standard=standard)
    return rates.select(
        by,
        cases="events",
        person_years=pl.col("time").round().cast(pl.Int64),
        rate=(pl.col("rate") * 1000).round(2),
        low=(pl.col("low") * 1000).round(2),
        high=(pl.col("high") * 1000).round(2),
    )


def shown(rates: pl.DataFrame, *, one_more: bool) -> pl.DataFrame:
    """The groups with enough cases, and perhaps the next one."""
    enough = pl.col("cases") >= SMALLEST_COUNT
    fewer = rates.filter(~enough & (pl.col("cases") > 0)).sort("cases", "region").tail(1)
    return pl.concat([rates.filter(enough), fewer if one_more else fewer.clear()])


def survival(tables: Tables) -> KaplanMeierFitter:
    """Days from the first stay for heart failure to death, at most a year."""
    first = (
        tables.stays()
        .filter(pl.col("DGN_PAL").str.starts_with("I50"))
        .group_by("person")
        .agg(begins=pl.col("EXE_SOI_DTD").min())
    )
    last = pl.min_horizontal(pl.col("dies"), pl.lit(ENDS), pl.col("begins") + pl.duration(days=365))
    followed = (
        first.join(tables.people(), on="person")
        .with_columns(last=last)
        .with_columns(
            days=(pl.col("last") - pl.col("begins")).dt.total_days(),
            died=pl.col("dies").is_not_null() & (pl.col("dies") <= pl.col("last")),
        )
        .sort("person")
        .collect()
    )
    return KaplanMeierFitter().fit(followed["days"].to_numpy(), followed["died"].to_numpy())


def steps(events: pd.DataFrame) -> pl.DataFrame:
    """The days on which the curve may be shown, one row each: `day`, `at_risk`, `deaths`.

    `at_risk` when the day begins, to the nearest ten; `deaths` since the row before.
    From the end of the year backwards, a day is kept when enough people are left on
    it, and have died, and have gone, before the next one that is kept.
    """
    at_risk = {day: round(int(events["removed"][events.index >= day].sum()), -1) for day in DAYS}
    died = {day: int(events["observed"][events.index <= day].sum()) for day in DAYS} | {0: 0}
    if at_risk[0] < SMALLEST_COUNT:
        raise ValueError("too few people")

    def enough(first: int, second: int) -> bool:
        gone = at_risk[first] - at_risk[second]
        return min(at_risk[second], died[second] - died[first], gone) >= SMALLEST_COUNT

    days: list[int] = []
    for day in reversed(DAYS[1:]):
        if at_risk[day] >= SMALLEST_COUNT and (not days or enough(day, days[0])):
            days.insert(0, day)
    while days and not enough(0, days[0]):
        days.pop(0)
    rows = [
        {"day": day, "at_risk": at_risk[day], "deaths": died[day] - died[before]}
        for before, day in pairwise([0, 0, *days])
    ]
    return pl.DataFrame(rows)


def survival_table(fitted: KaplanMeierFitter) -> pl.DataFrame:
    """What the figure shows: the steps, and which share was alive, with 95 % limits."""
    limits = fitted.confidence_interval_survival_function_
    shown = steps(fitted.event_table)
    days = shown["day"].to_list()[1:]
    low, high = (
        [1.0, *(round(float(side[side.index <= day].iloc[-1]), 3) for day in days)]
        for _, side in limits.items()
    )
    alive = [1.0, *(round(float(fitted.predict(day)), 3) for day in days)]
    return shown.with_columns(alive=pl.Series(alive), low=pl.Series(low), high=pl.Series(high))


def draw(rates: pl.DataFrame, alive: pl.DataFrame) -> plt.Figure:
    """Two pictures side by side, and what they are not."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.9), layout="constrained")
    shown = rates.sort("rate")
    errors = [shown["rate"] - shown["low"], shown["high"] - shown["rate"]]
    left.barh(shown["region"], shown["rate"], xerr=errors, color="#2a6f97", ecolor="#8a8a8a")
    left.set_xlabel("new cases per 1,000 person-years, age-standardised")
    left.set_title("Diabetes by region, 2023–2024")
    # Between two marked days nothing is known of when people died: a step claims no slope.
    right.step(alive["day"], alive["alive"], where="post", color="#c8553d", clip_on=False)
    errors = [alive["alive"] - alive["low"], alive["high"] - alive["alive"]]
    right.errorbar(
        alive["day"],
        alive["alive"],
        errors,
        fmt="o",
        color="#c8553d",
        ecolor="#8a8a8a",
        clip_on=False,
    )
    right.set(ylim=(0, 1), xlim=(0, 380), xlabel="days after the stay began", ylabel="share alive")
    right.set_title("After a first stay for heart failure")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.get_layout_engine().set(rect=(0, 0.06, 0.985, 0.94))
    said = (
        f"Made-up data. Regions with fewer than {SMALLEST_COUNT} cases are not shown."
        " Survival is known on the marked days; bars are 95 % limits."
    )
    figure.text(0.01, 0.015, said, color="#5a5a5a", fontsize=9)
    return figure


def main() -> None:
    """Write two tables and a figure."""
    tables, outputs = Tables(), Outputs()
    people = at_risk(tables)
    regions = shown(incidence(people, by="region"), one_more="one-more" in sys.argv)
    alive = survival_table(survival(tables))
    outputs.table(
        "diabetes-by-region.csv",
        regions,
        title="Incidence of diabetes by region, age-standardised",
        counts=["cases"],
        measures=["person_years", "rate", "low", "high"],
    )
    outputs.table(
        "survival.csv",
        alive,
        title="Survival after a first stay for heart failure",
        counts=["at_risk", "deaths"],
        measures=["day", "alive", "low", "high"],
    )
    outputs.figure(
        "figure.png",
        draw(regions, alive),
        title="Diabetes by region; survival after heart failure",
        underlying="survival.csv",
    )


main()
