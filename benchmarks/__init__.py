"""One command a figure; they print numbers, tests assert behaviour."""
