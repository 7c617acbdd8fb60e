"""What is done about a message, and the private support queue."""
