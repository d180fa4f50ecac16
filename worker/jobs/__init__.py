"""Jobs: the only room where rows and tensors meet. Load rows, call pure functions, write rows; one durable step a shard."""
