"""For every test: a drawn case that takes long has not failed. Timings never decide a test."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("havre", deadline=None)
settings.load_profile("havre")
