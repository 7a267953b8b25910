"""Columns that tables of the SNDS share by name, and the one type and length they have with us.

Published, 62 names have two types or more, and a text is shorter in one table than
in the next. Rows of two tables, or of two years, could not be put together, and
what fits one table would be set aside in the other. A name has one type here: a
text where it is a code anywhere, else a number with decimals where it has them
anywhere; and it has the greatest length that is published for it.

Source: the 188 published tables (schema-snds, December 2020), compared name by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Type: the names that have it everywhere.
TYPE_OF_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "string": """
ACC_TIE_IND BEN_CMU_TOP BEN_CTA_TYP BEN_IDT_TOP BEN_TOP_CNS CAM_TRT_PHA DRG_AFF_NAT ETE_GHS_NUM
FIC_TYP FLX_EMT_TYP GHS_NUM GRC_VER NOE_OPE NUM_DAT_AT PHA_PRS_C13 PRS_REJ_TOP RNG_NAI SEJ_NUM
TIP_PRS_TYP TYP_GEN_RSA UCD_TOP_UCD VID_HOSP_FOR
""",
        "number": """
ACT_COE ACT_DNB ADM_NBR AMC_MNR AMO_MNR ARO_THE_TAU DAT_DELAI DEL_DAT_ENT ENT_DAT_DEL FAC_MNT
FAC_NBR_VEN LPP_QUA LPP_QUA1 LPP_QUA2 MCO_COE MOY_PRI NBR_ACT NBR_CCAM NBR_DGN NOE_MNR PRI_UNI
PRS_ACT_NBR PRS_ACT_QTE QUA_COD REM_BAS REM_TAU TRS_ACT_PRU
""",
        "integer": "PHA_ACT_QSN PHA_DEC_QSU TRS_ACT_QSN",
        "yearmonth": "ENT_AM SOR_AM",
    }
)

# Characters: the names of texts that have at most so many, wherever they stand.
LENGTH_OF_NAMES: Mapping[int, str] = MappingProxyType(
    {
        1: """
ACV_ACT BEN_CMU_CAT BEN_CMU_TOP BEN_EHP_TOP BEN_IDT_TOP BEN_PAI_CMU BEN_TOP_CNS CAI_NUM_CTL
DAT_DEB_FAC_CTL DAT_FIN_FAC_CTL DAT_PEC_CTL DOC_ACT FAC_ETL FJ_COD_PEC NAT_PJ_DT NAT_PJ_DT_CTL
PHA_ACT PRE_REN_COD PRS_CRD_OPT PRS_REJ_TOP REG_PEC_ASS_CTL RNG_NAI TOP_ECL_FLX TOP_ECL_FLX_CTL
TYP_GEN_RSA
""",
        2: """
CTR_TYP DRG_AFF_NAT EXE_SPE EXT_DOC GES_COD GRC_VER NAT_ASS NOE_RGM
""",
        3: """
CAI_NUM EXT_PMSI FIC_TYP FOR_NUM NOE_OPE REG_PEC_ASS SEQ_SEQ_NUM VID_HOSP_FOR
""",
        4: "GHS_NUM GHT_NUM SEQ_SEJ",
        5: "ACT_COD FAC_NUM SEJ_IDT SEJ_NUM",
        6: "RIP_NUM",
        7: "CDC_ACT",
        8: "SEQ_NUM",
        9: """
ETA_NUM ETA_NUM_EPMSI ETA_NUM_GEO ETA_NUM_TWO NUM_DAT_AT PFS_EXE_NUM PFS_PRE_NUM PRS_COD
PRS_MTT_NUM UCD_COD
""",
        10: "PSP_PPS_NUM RSA_NUM",
        13: "CCAM_COD LPP_COD",
        16: "IPP_IRR_CRY",
        40: "REG_ETA",
        50: "VAL_ETA",
        80: "SOC_RAI",
    }
)
