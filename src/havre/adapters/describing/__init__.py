"""Counting what tables hold."""
