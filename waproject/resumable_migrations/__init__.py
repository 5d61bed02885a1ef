"""Migrations without a transaction that a kill may end at any point, and that the next `migrate` finishes."""

from waproject.resumable_migrations.operations import AddField, AddIndex, CreateModel, RemoveIndex
from waproject.resumable_migrations.row_moves import move_rows

__all__ = ["AddField", "AddIndex", "CreateModel", "RemoveIndex", "move_rows"]
