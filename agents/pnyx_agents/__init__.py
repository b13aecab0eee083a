"""Who acts, and in which order."""
