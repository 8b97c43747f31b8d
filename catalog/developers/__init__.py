"""What developers of other shops lean on: repeatable requests, signed webhooks, publishable keys."""
