"""Search of contacts by name: an index on the 1- to 3-grams of normalised names. Built while messages go on.

PostgreSQL's own trigram index needs the extension pg_trgm, which not every server has.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

import messaging.models.name_search
from waproject.resumable_migrations import AddIndex

# The same as `messaging.conversations.name_search.normalized_name`, which prepares the search term. Functions in an index
# expression may not call each other by name: a restore runs with an empty search_path.
NORMALIZED_NAME = r"""
CREATE OR REPLACE FUNCTION messaging_normalized_name(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  value := regexp_replace(lower(normalize(value, NFKD)), '[' || U&'\0300-\036f' || ']+', '', 'g');
  value := replace(replace(replace(replace(replace(value, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'ø', 'o'), 'ł', 'l');
  value := replace(replace(replace(replace(replace(value, 'đ', 'd'), 'ð', 'd'), 'þ', 'th'), 'ħ', 'h'), 'ı', 'i');
  RETURN btrim(regexp_replace(value, '\s+', ' ', 'g'));
END
$$
"""
NAME_GRAMS = """
CREATE OR REPLACE FUNCTION messaging_name_grams(value text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY(
    SELECT DISTINCT substr(value, start, size)
    FROM generate_series(1, 3) AS size, generate_series(1, length(value) - size + 1) AS start
  );
END
$$
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0014_pricing")]

    operations = [
        migrations.RunSQL(NORMALIZED_NAME, "DROP FUNCTION messaging_normalized_name(text)"),
        migrations.RunSQL(NAME_GRAMS, "DROP FUNCTION messaging_name_grams(text)"),
        AddIndex(
            model_name="contact",
            index=GinIndex(
                messaging.models.name_search.NameGrams("name"),
                messaging.models.name_search.NameGrams("username"),
                name="contact_name_grams",
            ),
        ),
    ]
