"""Rates that can be compared between groups of different age."""

from __future__ import annotations

import math

import polars as pl

_TAIL = 0.025
_CLOSE = 1e-12


def directly_standardised(
    rates: pl.DataFrame, *, group: str, stratum: str, standard: pl.DataFrame
) -> pl.DataFrame:
    """Weigh each group's rates by the age structure of one standard population.

    rates: one row per group and stratum; `events` and `time` (person-years).
    standard: one row per stratum; `weight`, whatever their sum.

    Returns one row per group, sorted: `events`, `time`, `rate` and its 95 %
    limits `low`, `high`, all per person-year; a stratum in which a group has no
    time counts as nothing.

    The limits are those of the gamma distribution, which hold with few events and
    are never below nothing. With one stratum they are the exact Poisson limits.

    Source: Fay and Feuer 1997, Statistics in Medicine 16:791-801.

    >>> rates = pl.DataFrame(
    ...     {"g": ["a", "a"], "s": [1, 2], "events": [10, 30], "time": [100.0, 100.0]}
    ... )
    >>> even = pl.DataFrame({"s": [1, 2], "weight": [1.0, 1.0]})
    >>> directly_standardised(rates, group="g", stratum="s", standard=even)["rate"].item()
    0.2
    """
    there = pl.col("time") > 0
    one_event = pl.when(there).then(pl.col("weight") / pl.col("time")).otherwise(0.0)
    weighed = (
        rates.join(standard, on=stratum)
        .with_columns(one_event=one_event / standard["weight"].sum())
        # Sums of fractions depend on their order: the same study gives the same bytes.
        .sort(group, stratum)
        .group_by(group)
        .agg(
            pl.col("events").sum(),
            pl.col("time").sum(),
            rate=(pl.col("one_event") * pl.col("events")).sum(),
            variance=(pl.col("one_event").pow(2) * pl.col("events")).sum(),
            largest=pl.col("one_event").max(),
        )
        .sort(group)
    )
    limits = [_limits(*row) for row in weighed.select("rate", "variance", "largest").iter_rows()]
    return weighed.select(group, "events", "time", "rate").with_columns(
        low=pl.Series([low for low, _ in limits], dtype=pl.Float64),
        high=pl.Series([high for _, high in limits], dtype=pl.Float64),
    )


def _limits(rate: float, variance: float, largest: float) -> tuple[float, float]:
    """The 95 % limits of a rate; `largest` is what one more event may add to it."""
    if largest == 0:
        return 0.0, math.inf
    low = 0.0 if rate == 0 else _gamma_quantile(_TAIL, mean=rate, variance=variance)
    high = _gamma_quantile(1 - _TAIL, mean=rate + largest, variance=variance + largest**2)
    return low, high


def _gamma_quantile(share: float, *, mean: float, variance: float) -> float:
    """Below which value a gamma variable stays with a probability, by halving.

    No SciPy: a study is written on a laptop that has Polars and nothing else.
    """
    shape, scale = mean**2 / variance, variance / mean
    below, above = 0.0, shape + 1.0
    while _gamma_below(above, shape) < share:
        above *= 2
    while above - below > _CLOSE * above:
        middle = (below + above) / 2
        if _gamma_below(middle, shape) < share:
            below = middle
        else:
            above = middle
    return above * scale


def _gamma_below(value: float, shape: float) -> float:
    """The regularised lower incomplete gamma function, by its power series.

    Source: Abramowitz and Stegun 6.5.29. All terms are positive, so nothing cancels; the
    number of terms grows with the value, which for rates is about the number of events.
    """
    if value <= 0:
        return 0.0
    term = total = 1.0 / shape
    step = shape
    while term > total * _CLOSE / 1000:
        step += 1.0
        term *= value / step
        total += term
    return min(1.0, total * math.exp(shape * math.log(value) - value - math.lgamma(shape)))
