"""The quick, modest answer: whether to speak at all, and in which words."""
