"""What staff may say, and whether it makes sense: the configuration file, folding and keywords."""
