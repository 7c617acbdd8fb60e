"""Tests of `sentiment`."""
