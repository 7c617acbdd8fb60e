"""The commands, a module a family. Each prints for people, or one JSON document with `--json`."""
