"""Scenes and answers that are known already: what the demo shows, what tests can check, what strategies are compared on."""
