"""Published primitives with their keys as arguments; only this room draws randomness."""
