"""Sandboxes, and the environments that studies run in."""
