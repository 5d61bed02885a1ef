"""The pipeline's state for other pages, such as the admin's index."""

import logging

from django import template
from django.db import DatabaseError, transaction

from monitoring.dashboard import Overview, overview
from monitoring.metrics import current

logger = logging.getLogger(__name__)
register = template.Library()


@register.simple_tag
def verdict() -> Overview | None:
    """How it is now; None where it cannot be read, which must not keep anybody out of the admin."""
    try:
        with transaction.atomic():
            return overview(current.window())
    except DatabaseError as error:
        logger.warning("the state could not be read: %s", type(error).__name__)
        return None
