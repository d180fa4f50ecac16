"""What scripts and R may ask for, at /api/v1: the same functions as the pages, under a token (docs/api.md)."""
