"""When to stop labelling, said honestly: arrays in, arrays out. No rows of a database, no files."""
