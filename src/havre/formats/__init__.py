"""Bytes to values and back: strict readers, canonical writers; no input or output."""
