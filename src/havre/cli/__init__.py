"""The command line; holds no rules."""
