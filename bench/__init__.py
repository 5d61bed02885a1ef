"""Load and cost measurements, beside the stock parts in the same run.

`measurements.py` is the table of what `python -m bench` measures. `comparison/` measures a part beside stock Celery's,
`pipeline/` loads the whole running pipeline, `report/` judges the figures and writes docs/performance.md.
`outgoing_lane.py` is a command of its own.
"""
