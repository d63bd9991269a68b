"""Error rates of presentation-attack detection, and the weights of its signals.

Terms: ISO/IEC 30107-3. A *PAI species* is a kind of artefact, made one way. What a rig rendered is
marked as simulated wherever it appears.
"""
