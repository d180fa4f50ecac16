"""The species list and its keys."""
