"""Tests of heedful."""
