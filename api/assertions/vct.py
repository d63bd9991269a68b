"""The credential type: its name, its type metadata, and the digest that pins the two together."""

import base64
import hashlib
import pkgutil

# `pkgutil` reads from a zipapp too, and starts faster than `importlib.resources`.
_PUBLISHED = pkgutil.get_data("api.assertions", "vct.json")
assert _PUBLISHED is not None  # package data
TYPE_METADATA: bytes = _PUBLISHED
"""SD-JWT VC type metadata, as published."""

MAX_LIFETIME_S = 24 * 60 * 60
"""An assertion of this type answers one request; it is no identity document."""

VCT = "urn:chinhchu:vct:identity-proofing:1"

# SD-JWT VC, "Document Integrity": the value is that of a Subresource Integrity attribute.
VCT_INTEGRITY = "sha256-" + base64.b64encode(hashlib.sha256(TYPE_METADATA).digest()).decode("ascii")
