"""species.csv and counts.csv, streamed from one snapshot."""
