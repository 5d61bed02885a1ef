"""Dead letters: inspection, redrive and discard of the messages on dead-letter queues."""
