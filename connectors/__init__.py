"""Channels in, replies out. Third parties import only `connectors.api`."""
