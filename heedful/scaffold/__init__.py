"""What `heedful new-connector` writes, as real modules: they are linted, typed and examined here."""
