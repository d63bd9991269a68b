"""One module a stage; each has `measure(quick) -> dict[str, Metric]`."""
