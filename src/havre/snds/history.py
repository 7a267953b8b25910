"""Years of columns that the published tables do not say, and their history does.

The published descriptions give most columns a first year, and a first year without.
Where they are silent, the list of columns by year, published beside them, is not.

Source: the history of 136 tables and 3,197 columns that lies beside schema-snds (2019:
the years of the DCIR are known until then, those of the PMSI until 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Table, first year: the columns that came with it.
FIRST_YEARS: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        ("ER_CAM_F", 2009): "CAM_GRI_TAR",
        ("ER_PRS_F", 2009): "EXE_CTX_PFS EXE_CTX_BEN PRE_IND_PEL PRS_DIS_PRE",
        ("ER_PRS_F", 2011): "PRS_DRA_AME",
        ("ER_PRS_F", 2012): "BEN_DRT_SPF BEN_ACS_TOP BEN_CTA_TYP DRG_AFF_NAT",
        ("ER_PRS_F", 2013): "PRS_TYP_MAJ CPL_FTA_COD PRS_MNT_MAJ CPL_REM_TAU PRS_QTT_MAJ",
        ("ER_TRS_F", 2010): "TRS_DTF_DTE TRS_DTD_AME TRS_DTD_DTE TRS_DTF_AME",
    }
)

# Table, last year: a table that went away with all its columns.
LAST_YEARS: Mapping[tuple[str, int], str] = MappingProxyType(
    {("T_SSRaaCMC", 2016): "ETA_NUM RHA_VER RHA_NUM CMC_COD NBR_JOU"}
)

# The last year that the history knows, by how the tables' names begin: a column of that
# year may be gone in a later one, and a new one is not in it.
KNOWN_UNTIL: Mapping[str, int] = MappingProxyType(
    {"ER_": 2019, "T_MCO": 2017, "T_SUP": 2017, "T_SSR": 2017, "T_HAD": 2017, "T_RIP": 2017}
    | {"KI_": 2015}
)
