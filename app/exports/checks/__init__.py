"""One file a format: `check(...)` reads what was written and lists everything that is wrong with it."""
