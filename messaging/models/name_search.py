"""SQL functions of the contact name search (migration 0015)."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, TextField


class NormalizedName(Func):
    """A name without accents, case and repeated blanks."""

    function = "messaging_normalized_name"
    output_field = TextField()


class NameGrams(Func):
    """Every substring of one to three characters of a column's normalised name."""

    function = "messaging_name_grams"
    output_field: Any = ArrayField(TextField())

    def __init__(self, field: str) -> None:
        super().__init__(NormalizedName(F(field)))
