"""Other implementations of the same work, run beside ours."""
