"""Lost answers: messages whose outcome is unknown, and the evidence that settles them."""
