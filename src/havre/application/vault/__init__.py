"""The vault: the only use cases that touch stored objects and file keys."""
