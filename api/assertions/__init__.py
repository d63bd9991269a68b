"""The signed assertion: claims, SD-JWT VC, keys, and the offline verifier of the relying party."""
