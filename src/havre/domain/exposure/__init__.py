"""Exposure: who, under which law, alone or together, can obtain what; from facts, by rules."""
