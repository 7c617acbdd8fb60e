"""Databases for the tests of this package."""

from __future__ import annotations

from tests.databases import clock, sqlite_url, store, store_url, templates

__all__ = ["clock", "sqlite_url", "store", "store_url", "templates"]
