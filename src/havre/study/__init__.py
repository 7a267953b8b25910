"""What a researcher writes a study with: the tables of the permit in, outputs on record out.

Runs inside the sandbox, where there is `/in`, `/out` and nothing else, and just
as well on a laptop with made-up tables. Needs Polars and nothing of the hub.
"""

from havre.study.outputs import Outputs
from havre.study.rates import directly_standardised
from havre.study.tables import Tables

__all__ = ["Outputs", "Tables", "directly_standardised"]
