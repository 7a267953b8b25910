"""Code systems on disk, and columns of codes."""
