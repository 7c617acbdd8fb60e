"""Tests of `heedful`."""
