"""`GET /analytics/export`: one row a message, for warehouses."""
