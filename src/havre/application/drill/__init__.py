"""Drills: promises tried on the real thing, judged by numbers, with a signed receipt on the log."""
