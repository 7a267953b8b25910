"""Tokens: what holds a party's private keys, behind `ports.tokens`."""
