"""The emulator for every test here that asks for it."""

from __future__ import annotations

from tests.counterparts.telegram import bot_api

__all__ = ["bot_api"]
