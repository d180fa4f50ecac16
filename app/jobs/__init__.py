"""What the worker does now, as a stream of events."""
