"""Where released files go."""
