"""The hub's private records in a relational database, behind `ports.records`."""
