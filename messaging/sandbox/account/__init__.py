"""The business account as the Graph API shows it: nodes, tokens, subscriptions, registration, templates."""
