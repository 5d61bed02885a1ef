"""The monitor bus: worker events and remote control over SQS queues, for Flower and `celery inspect`.

    worker ──events, batched──▶ [monitor] ──▶ Flower
    asker ──a command, to each──▶ [monitor-node-…] one for each worker ──▶ worker
    worker ──its answer──▶ [monitor-replies-…] one for each asker ──▶ asker

Stock Celery does this by fan-out exchanges, which SQS is not. The bus takes the place of Celery's event dispatcher,
event receiver, remote control and mailbox, and leaves the tasks' transport alone. It is off where
`SQS_MONITOR_QUEUE_URL` is empty, and nothing that it does can hold up a task: see `event_buffer` and `node`.
"""
