"""The machine Havre stands on: its clock, and what it can and cannot guarantee."""
