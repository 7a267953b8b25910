"""Taking everything a host holds."""
