"""The label page: the next crops, answers, skips, undo."""
