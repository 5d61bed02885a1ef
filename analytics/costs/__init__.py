"""Costs of messages: rate cards, charges, budgets, estimates."""
