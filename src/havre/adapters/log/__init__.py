"""The log as static files, behind `ports.log`."""
