"""Table files."""
