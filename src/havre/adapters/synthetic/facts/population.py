"""Where people live, how old they are, how they are insured, how they die: shares and rates.

Source: INSEE's pyramid and regions, in round numbers; schemes of 2016 and the growth of
known own numbers from the Santé publique France guide; establishments that are
delivered twice from the recommended filters (HDH, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

# People by age group of five years, per thousand; the last group is 95 and over.
PYRAMID = (54, 60, 62, 62, 58, 56, 60, 62, 62, 63, 68, 66, 62, 59, 56, 42, 29, 25, 11, 3)
WOMEN = (
    0.488,
    0.488,
    0.488,
    0.488,
    0.49,
    0.505,
    0.51,
    0.51,
    0.506,
    0.503,
    0.508,
    0.515,
    0.524,
    0.53,
    0.537,
    0.558,
    0.60,
    0.65,
    0.73,
    0.80,
)
# Region: people per thousand, relative risk of diabetes, of heart and vessels, of death. The
# north and the east are sicker than the west; that gradient is what a study should find.
REGIONS: Mapping[str, tuple[int, float, float, float]] = {
    "11": (187, 1.00, 0.85, 0.90),
    "24": (39, 1.05, 1.00, 1.03),
    "27": (43, 1.05, 1.05, 1.04),
    "28": (51, 1.00, 1.10, 1.06),
    "32": (92, 1.45, 1.35, 1.22),
    "44": (85, 1.25, 1.15, 1.08),
    "52": (59, 0.75, 0.90, 0.95),
    "53": (52, 0.60, 0.95, 1.02),
    "75": (93, 0.85, 0.95, 0.98),
    "76": (91, 0.90, 0.90, 0.94),
    "84": (124, 0.90, 0.95, 0.94),
    "93": (78, 1.05, 0.90, 0.96),
    "94": (6, 0.95, 0.90, 0.92),
}
# Death: per year at birth, its growth by year of age, and what does not depend on age.
MORTALITY = (0.0000070, 0.1000, 0.0002)
INFANT_MORTALITY = 0.0035
# Scheme (beginning of ORG_AFF_BEN) and share, 2016; the self-employed are in 01C from 2019 on.
SCHEMES: tuple[tuple[str, float], ...] = (
    ("01C", 0.76),
    ("01M", 0.11),
    ("02A", 0.06),
    ("03A", 0.05),
    ("04C", 0.010),
    ("06A", 0.004),
    ("08C", 0.006),
)
SELF_EMPLOYED, MERGED_YEAR = "03A", 2019
MOVES_PER_YEAR = 0.03
TWIN_BIRTHS = 0.016
# Numbers of a person beyond the first: share who have a second, and of those a third.
SECOND_NUMBER, THIRD_NUMBER = 0.485, 0.28
# Of the changes of number, the share that happens within ten years.
PROVISIONAL = 0.02
# Year and share of numbers whose owner's own number is known.
OWN_NUMBER: tuple[tuple[int, float], ...] = ((2011, 0.880), (2018, 0.985))
# Linked certificates of death, by year.
LINKED_DEATHS: tuple[tuple[int, float], ...] = (
    (2006, 0.343),
    (2012, 0.768),
    (2013, 0.887),
    (2014, 0.901),
    (2015, 0.901),
    (2016, 0.833),
    (2017, 0.89),
)
# Public hospitals that were delivered twice until 2017: legal number, departments, numbers of their sites.
DELIVERED_TWICE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "750712184",
        (
            "750100018",
            "750100042",
            "750100075",
            "750100083",
            "750100091",
            "750100109",
            "750100125",
            "750100166",
            "750100208",
            "750100216",
            "750100232",
            "750100273",
            "750803447",
            "750803454",
            "920100013",
            "920100021",
            "920100039",
            "920100047",
            "920100054",
            "920100062",
            "930100011",
            "930100037",
            "930100045",
            "940100027",
            "940100035",
            "940100043",
            "940100050",
            "940100068",
            "910100015",
            "910100023",
            "950100016",
        ),
    ),
    ("130786049", ("130780521", "130783236", "130783293", "130784234", "130804297")),
    ("690781810", ("690783154", "690784137", "690784152", "690784178")),
)
LAST_TWICE = 2017


def share_in(points: tuple[tuple[int, float], ...], year: int) -> float:
    """A share that is known for some years, in any year: straight between them, level outside.

    >>> share_in(((2011, 0.88), (2018, 0.985)), 2025)
    0.985
    """
    before = [point for point in points if point[0] <= year] or [points[0]]
    after = [point for point in points if point[0] >= year] or [points[-1]]
    (first, low), (last, high) = before[-1], after[0]
    return low if first >= last else low + (high - low) * (year - first) / (last - first)
