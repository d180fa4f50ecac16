"""Passwords, sign-ins, cross-site requests, headers."""
