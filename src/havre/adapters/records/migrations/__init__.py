"""The history of the records' tables, for Alembic."""
