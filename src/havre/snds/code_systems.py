"""Which code system a column of the SNDS takes its values from, where its description does not say.

By name: the SNDS gives one thing one name, in every table. A column that is here holds
codes, which many people share, and not words or numbers of somebody. The codes themselves
are imported, never shipped.

Source: the code systems that the published schema names (schema-snds, December 2020), and
Cnam's and ATIH's descriptions of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Code system: the columns, by whole name.
_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "CCAM": "CAM_PRS_IDE CDC_ACT",
        "CCAM activity": "CAM_ACT_COD ACV_ACT",
        "CCAM phase": "CAM_TRT_PHA PHA_ACT",
        "CIP13": "PHA_PRS_C13",
        "UCD": "UCD_UCD_COD",
        "LPP": "TIP_PRS_IDE",
        "NABM": "BIO_PRS_IDE",
        "ICD-10": "DGN_PAL DGN_REL ASS_DGN MED_MTF_COD DCD_CIM_COD",
        "GHM": "GRG_GHM",
        "IR_NAT_V": "PRS_NAT_REF BSE_PRS_NAT CPL_PRS_NAT",
        "IR_SPE_V": "PSE_SPE_COD PSP_SPE_COD",
        "IR_ETM_V": "IMB_ETM_NAT",
        "IR_QLF_V": "DPN_QLF",
        "INSEE department": "BEN_RES_DPT BDI_DEP",
        "INSEE commune": "BEN_RES_COM",
        "ISO/IEC 5218": "BEN_SEX_COD COD_SEX",
        "PMSI mode of entry": "ENT_MOD",
        "PMSI mode of exit": "SOR_MOD",
        "PMSI return code": (
            "NIR_RET NAI_RET SEX_RET SEJ_RET FHO_RET PMS_RET DAT_RET ENT_RET GRG_RET"
        ),
        "PMSI unit": "AUT_TYP1_UM",
        "long-term illness": "IMB_ALD_NUM",
    }
)
_SYSTEMS: Mapping[str, str] = MappingProxyType(
    {column: system for system, columns in _COLUMNS.items() for column in columns.split()}
)
# A column's unit, by how its name ends, which is a rule of the SNDS.
_UNITS = (("_MNT", "EUR"), ("_PRU", "EUR"), ("_REM_BSE", "EUR"), ("_REM_TAU", "%"), ("_NBJ", "d"))


def find_code_system(column: str) -> str:
    """Name the code system of a column; empty when its name is not here.

    >>> find_code_system("DGN_PAL"), find_code_system("PRS_ACT_QTE")
    ('ICD-10', '')
    """
    return _SYSTEMS.get(column.upper(), "")


def find_unit(column: str) -> str:
    """Name the unit of a number, as the SNDS's names of columns tell it, or nothing.

    Units are spelled as UCUM spells them; euros as ISO 4217 does.

    >>> find_unit("PRS_PAI_MNT"), find_unit("SEJ_NBJ"), find_unit("PRS_ACT_QTE")
    ('EUR', 'd', '')
    """
    return next((unit for ending, unit in _UNITS if column.upper().endswith(ending)), "")
