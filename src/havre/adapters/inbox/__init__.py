"""Places where sealed deliveries wait."""
