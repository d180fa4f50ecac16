"""Housekeeping: archive, delete, bring back, erase, and what the disk holds."""
