"""How well heedful reads, beside what else can be installed: the same rows, the same run."""
