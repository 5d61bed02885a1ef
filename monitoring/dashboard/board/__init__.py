"""What the dashboard and the summary say, a part each: lanes, sends, numbers, processes, alerts."""
