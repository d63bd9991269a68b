"""Liveness: did a living person, before a real camera, follow this challenge?

Each module below judges one thing and returns a `Signal`; `fusion` joins them. Nothing here knows
of HTTP or sessions. *Presentation attack* and the other terms are those of ISO/IEC 30107.
"""
