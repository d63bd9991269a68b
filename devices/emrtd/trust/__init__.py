"""Certificates, revocation lists, and the store of trust anchors that the operator configures."""
