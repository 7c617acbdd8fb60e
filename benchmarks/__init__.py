"""What heedful promises in figures: `python -m benchmarks`. Ratios within one run, never absolute speeds."""
