"""The pipeline's state for other pages, such as the admin's index."""

import logging

from django import template
from django.db import DatabaseError, transaction

from monitoring.dashboard import Overview, read_overview
from monitoring.metrics import current

logger = logging.getLogger(__name__)
register = template.Library()


@register.simple_tag
def pipeline_overview() -> Overview | None:
    """The current overview; None if it cannot be read, which must not break the admin."""
    try:
        with transaction.atomic():
            return read_overview(current.window())
    except DatabaseError as error:
        logger.warning("the state of the pipeline could not be read: %s", type(error).__name__)
        return None
