"""The keys that sign assertions: a small certificate authority, in files or a security module."""
