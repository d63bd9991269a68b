"""A software citizen card: personalised from a profile, run in process or on a virtual reader.

Its cryptography is its own (pycryptodome and ecdsa) and shares nothing with the reader's, so that
one cannot hide an error of the other. The way in: `profile` → `personalise` → `image` → `card`;
`vpcd` and `virtual_reader` put the card under a real PC/SC service.
"""
