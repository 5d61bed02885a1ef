"""Template filters of the analytics page."""

from django import template

from waproject.web.readings import count, duration, percent

register = template.Library()
for readings_filter in (count, duration, percent):
    register.filter(readings_filter)
