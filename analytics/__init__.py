"""Events of clients, and questions about messages: counts, rates, costs."""
