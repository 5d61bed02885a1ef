"""Production's polls, logs and web processes, which measured processes run with."""

PRODUCTION = {"SQS_WAIT_TIME_S": "20", "LOG_FORMAT": "json", "WEB_WORKERS": "2"}
