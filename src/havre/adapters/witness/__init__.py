"""Witnesses, behind `ports.witness`."""
