"""Which crops to label next: arrays in, row numbers out. No rows of a database, no files."""
