"""Readers of what holders deliver."""
