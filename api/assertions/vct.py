"""The credential type: its name, its type metadata, and the digest that pins the two together."""

import base64
import hashlib
from importlib.resources import files

TYPE_METADATA: bytes = files("api.assertions").joinpath("vct.json").read_bytes()
"""SD-JWT VC type metadata, as published."""

VCT = "urn:chinhchu:vct:identity-proofing:1"

# SD-JWT VC, "Document Integrity": the value is that of a Subresource Integrity attribute.
VCT_INTEGRITY = "sha256-" + base64.b64encode(hashlib.sha256(TYPE_METADATA).digest()).decode("ascii")
