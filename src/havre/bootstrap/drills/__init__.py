"""Drills, wired: each on the hub itself, or on a small hub of its own."""
