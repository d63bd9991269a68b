"""What the stage `chip` measures with: its card, the formula's bound, the reader's CPU time."""
