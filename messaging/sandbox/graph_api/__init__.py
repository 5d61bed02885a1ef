"""The endpoints of the Graph API that the sandbox serves."""
