"""Messages, the outbox, SMTP."""
