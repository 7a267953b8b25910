"""The outside world behind the ports; families are strangers to each other."""
