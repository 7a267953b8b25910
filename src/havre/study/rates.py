"""Rates that can be compared between groups of different age."""

from __future__ import annotations

import polars as pl


def directly_standardised(
    rates: pl.DataFrame, *, group: str, stratum: str, standard: pl.DataFrame
) -> pl.DataFrame:
    """Weigh each group's rates by the age structure of one standard population.

    rates: one row per group and stratum; `events` and `time` (person-years).
    standard: one row per stratum; `weight`, whatever their sum.

    Returns one row per group, sorted: `events`, `time`, `rate` and its 95 %
    limits `low`, `high`, all per person-year; a stratum in which a group has no
    time counts as nothing.

    Source: Fay and Feuer 1997, normal approximation of the variance.

    >>> rates = pl.DataFrame(
    ...     {"g": ["a", "a"], "s": [1, 2], "events": [10, 30], "time": [100.0, 100.0]}
    ... )
    >>> even = pl.DataFrame({"s": [1, 2], "weight": [1.0, 1.0]})
    >>> directly_standardised(rates, group="g", stratum="s", standard=even)["rate"].item()
    0.2
    """
    weight = pl.col("weight") / standard["weight"].sum()
    there = pl.col("time") > 0
    joined = rates.join(standard, on=stratum).with_columns(
        pl.when(there)
        .then(weight * pl.col("events") / pl.col("time"))
        .otherwise(0.0)
        .alias("part"),
        pl.when(there)
        .then(weight.pow(2) * pl.col("events") / pl.col("time").pow(2))
        .otherwise(0.0)
        .alias("variance"),
    )
    half = 1.959964 * pl.col("variance").sqrt()
    return (
        joined.group_by(group)
        .agg(
            pl.col("events").sum(),
            pl.col("time").sum(),
            pl.col("part").sum().alias("rate"),
            pl.col("variance").sum(),
        )
        .with_columns(low=(pl.col("rate") - half).clip(0.0), high=pl.col("rate") + half)
        .drop("variance")
        .sort(group)
    )
