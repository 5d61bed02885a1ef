"""Dead letters: inspect, redrive and discard messages of the dead-letter queues."""
