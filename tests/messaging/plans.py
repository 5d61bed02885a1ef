"""Plans of PostgreSQL that it may choose with other statistics."""

from django.db import connection

_OTHER_PLANS = "hashjoin mergejoin hashagg sort material memoize indexscan indexonlyscan bitmapscan"


def repeat_subqueries() -> None:
    """Until the end of the test's transaction, prefer plans that evaluate a subquery once for each row."""
    with connection.cursor() as cursor:
        for name in _OTHER_PLANS.split():
            cursor.execute(f"SET LOCAL enable_{name} = off")
