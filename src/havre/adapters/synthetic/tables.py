"""Which tables can be made."""

from __future__ import annotations

# What the demo and the promises are shown on.
CORE_TABLES: tuple[str, ...] = (
    "ER_PRS_F",
    "ER_PHA_F",
    "ER_CAM_F",
    "IR_BEN_R",
    "IR_IMB_R",
    "KI_CCI_R",
    "T_MCOaaA",
    "T_MCOaaB",
    "T_MCOaaC",
    "T_MCOaaD",
    "T_MCOaaUM",
)
ALL_TABLES: tuple[str, ...] = (
    *CORE_TABLES,
    "ER_BIO_F",
    "ER_TIP_F",
    "ER_ETE_F",
    "ER_UCD_F",
    "ER_ARO_F",
    "ER_INV_F",
    "ER_DTR_F",
    "IR_IBA_R",
    "IR_PHA_R",
    "BE_IDE_R",
    "DA_PRA_R",
    "IR_MAT_R",
    "KI_ECD_R",
    "T_MCOaaE",
    "T_MCOaaMED",
    *(f"T_MCOaa{letters}" for letters in ("CSTC", "FASTC", "FBSTC", "FCSTC", "FMSTC", "FLSTC")),
    *(f"T_SSRaa{letters}" for letters in ("C", "B", "D", "CSARR")),
    *(f"T_HADaa{letters}" for letters in ("C", "B", "D", "GRP")),
    *(f"T_RIPaa{letters}" for letters in ("C", "RSA", "RSAD")),
)
