"""The web process: its server, the limits of requests, error pages, sessions.

`admin/` holds what all admin pages share, `api/` what all endpoints share.
"""
