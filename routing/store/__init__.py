"""The durable store: tables, migrations, the one writer, and the questions asked of it."""
