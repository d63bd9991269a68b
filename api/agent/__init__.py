"""The device agent: it reads the card for a session and hands the evidence to the server."""
