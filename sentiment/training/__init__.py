"""How the shipped model is made: the corpus, the teacher, the recipe."""
