"""The web pages of the social-care team, and the API under /api/v1."""
