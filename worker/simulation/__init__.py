"""Scenes and answers that are known already: what the demo shows and what the tests can check."""
