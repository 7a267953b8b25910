"""Custodians, behind `ports.custody`."""
