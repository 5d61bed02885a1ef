"""Log lines: format, context, masking and throttling."""
