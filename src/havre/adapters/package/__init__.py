"""Packages a hub travels in, behind `ports.package`."""
