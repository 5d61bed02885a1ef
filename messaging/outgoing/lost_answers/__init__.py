"""Lost answers: messages with an unknown outcome, and the evidence that settles them."""
