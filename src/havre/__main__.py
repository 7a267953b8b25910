"""`python -m havre`: the command line."""

from havre.cli.main import run

run()
