"""Keys, curves and ciphers of the chip's protocols, and the encodings that they come in."""
