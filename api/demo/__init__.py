"""The demonstration: the whole way through without hardware, and four frauds refused."""
