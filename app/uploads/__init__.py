"""Batches: a folder of photos streamed in, file by file, and what became of each."""
