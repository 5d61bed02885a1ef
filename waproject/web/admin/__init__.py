"""The admin's theme, and the classes that all admin pages share."""
