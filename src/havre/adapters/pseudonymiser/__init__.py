"""Pseudonymisers."""
