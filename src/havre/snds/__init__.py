"""Facts of the SNDS as data: tables, keys, corrections, sentinels, the synthetic population."""
