"""A few codes of the SNDS's code systems: those that our own examples and tests speak of.

Facts, not a nomenclature: the whole code systems are imported, never shipped.

Sources: IR_NAT_V, IR_PHA_R (September 2017), CIM-10, CCAM, the 2016 map of regions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# CIP13 of one common package: its ATC class.
ATC_OF_CIP13: Mapping[str, str] = MappingProxyType(
    {
        "3400922152363": "A10BA02",
        "3400936671010": "A10BA02",
        "3400938567991": "A10BB09",
        "3400938566352": "A10BB09",
        "3400937722988": "A10AE04",
        "3400930016169": "A10AE04",
        "3400938678116": "A10BD07",
        "3400932560592": "C03CA01",
        "3400930573488": "C03CA01",
        "3400927690129": "C07AB07",
        "3400930045848": "C07AB07",
        "3400937403702": "C09AA05",
        "3400936158832": "N02BE01",
        "3400935848178": "N02BE01",
        "3400935378064": "J01CA04",
        "3400938268706": "A02BC02",
        "3400936579538": "R03AC02",
        "3400937800853": "N05BA12",
        "3400927585111": "C10AA05",
        "3400933247379": "B01AC06",
        "3400936225701": "M01AE01",
        "3400934936876": "H02AB06",
        "3400932539192": "H03AA01",
    }
)

# Region of 2016 (INSEE code): its departments.
DEPARTMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "11": ("75", "77", "78", "91", "92", "93", "94", "95"),
        "24": ("18", "28", "36", "37", "41", "45"),
        "27": ("21", "25", "39", "58", "70", "71", "89", "90"),
        "28": ("14", "27", "50", "61", "76"),
        "32": ("02", "59", "60", "62", "80"),
        "44": ("08", "10", "51", "52", "54", "55", "57", "67", "68", "88"),
        "52": ("44", "49", "53", "72", "85"),
        "53": ("22", "29", "35", "56"),
        "75": ("16", "17", "19", "23", "24", "33", "40", "47", "64", "79", "86", "87"),
        "76": ("09", "11", "12", "30", "31", "32", "34", "46", "48", "65", "66", "81", "82"),
        "84": ("01", "03", "07", "15", "26", "38", "42", "43", "63", "69", "73", "74"),
        "93": ("04", "05", "06", "13", "83", "84"),
        "94": ("2A", "2B"),
    }
)

REGION_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "11": "Île-de-France",
        "24": "Centre-Val de Loire",
        "27": "Bourgogne-Franche-Comté",
        "28": "Normandie",
        "32": "Hauts-de-France",
        "44": "Grand Est",
        "52": "Pays de la Loire",
        "53": "Bretagne",
        "75": "Nouvelle-Aquitaine",
        "76": "Occitanie",
        "84": "Auvergne-Rhône-Alpes",
        "93": "Provence-Alpes-Côte d'Azur",
        "94": "Corse",
    }
)

REGION_OF_DEPARTMENT: Mapping[str, str] = MappingProxyType(
    {department: region for region, listed in DEPARTMENTS.items() for department in listed}
)
