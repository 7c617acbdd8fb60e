"""The program: pipeline, outbox, daemon and the commands."""
