"""The tables of an extract."""

from __future__ import annotations

from pathlib import Path

import polars as pl

# The nine columns by which the tables of the DCIR belong together.
DCIR_KEY = (
    "DCT_ORD_NUM",
    "FLX_DIS_DTD",
    "FLX_EMT_NUM",
    "FLX_EMT_ORD",
    "FLX_EMT_TYP",
    "FLX_TRT_DTD",
    "ORG_CLE_NUM",
    "PRS_ORD_NUM",
    "REM_TYP_AFF",
)
STAY_KEY = ("MCO_ANN", "ETA_NUM", "RSA_NUM")


class Tables:
    """The tables that a permit grants, read when they are used."""

    def __init__(self, folder: Path | str = "/in") -> None:
        self._folder = Path(folder)

    @property
    def names(self) -> list[str]:
        """The tables that are there, in order."""
        return sorted({path.name.split(".")[0] for path in self._folder.glob("*.parquet")})

    def __getitem__(self, name: str) -> pl.LazyFrame:
        """One table.

        Raises:
            KeyError: the permit does not grant it; those that are there are named.
        """
        if name not in self.names:
            raise KeyError(f"no table {name} here, only: {', '.join(self.names)}")
        # A large table comes in several files.
        return pl.scan_parquet(sorted(self._folder.glob(f"{name}.*parquet")))

    def people(self) -> pl.LazyFrame:
        """One row per person: `person`, year of birth, sex, department, day of death or null.

        Several numbers of one person are one person when the SNDS says so
        (BEN_IDT_ANO). A date of 1600 means that there is none.
        """
        day = pl.col("BEN_DCD_DTE")
        dies = pl.when(day.dt.year() > 1600).then(day)
        return (
            self["IR_BEN_R"]
            .filter(pl.col("BEN_IDT_ANO").is_not_null())
            .group_by(person="BEN_IDT_ANO")
            .agg(
                pl.col("BEN_NAI_ANN").first().alias("born"),
                pl.col("BEN_SEX_COD").first().alias("sex"),
                pl.col("BEN_RES_DPT").sort_by("BEN_NIR_PSA").first().alias("department"),
                dies.min().alias("dies"),
            )
        )

    def numbers(self) -> pl.LazyFrame:
        """Which person each number and rank belongs to."""
        return self["IR_BEN_R"].select("BEN_NIR_PSA", "BEN_RNG_GEM", person="BEN_IDT_ANO")

    def dispensings(self, codes: list[str]) -> pl.LazyFrame:
        """Boxes of some drugs, one row per person and day, lines that were taken back left out.

        codes: CIP13 codes. An error in the SNDS is a line of minus one: only a sum
        above nothing was dispensed.
        """
        lines = (
            self["ER_PHA_F"]
            .filter(pl.col("PHA_PRS_C13").is_in(codes))
            .join(self["ER_PRS_F"], on=DCIR_KEY, how="inner")
            .join(self.numbers(), on=["BEN_NIR_PSA", "BEN_RNG_GEM"], how="inner")
        )
        return (
            lines.group_by("person", day="EXE_SOI_DTD")
            .agg(boxes=pl.col("PHA_ACT_QSN").sum())
            .filter(pl.col("boxes") > 0)
        )

    def stays(self) -> pl.LazyFrame:
        """Hospital stays with their person, where one is known.

        A hospital writes no rank: twins who share a number are left out.
        """
        alone = (
            self.numbers()
            .group_by("BEN_NIR_PSA")
            .agg(pl.col("person").first(), people=pl.col("person").n_unique())
            .filter(pl.col("people") == 1)
            .select("BEN_NIR_PSA", "person")
        )
        return (
            self["T_MCOaaC"]
            .join(self["T_MCOaaB"], on=STAY_KEY, how="inner")
            .join(alone, left_on="NIR_ANO_17", right_on="BEN_NIR_PSA", how="inner")
        )
