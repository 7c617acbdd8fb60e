"""Whether this installation is well, each problem with its way out."""
