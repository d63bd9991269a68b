"""The catalogue: one TOML file a procedure, which says what a session for it must reach."""
