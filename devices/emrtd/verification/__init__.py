"""What judges evidence: every check, and the verdict; it speaks to no card."""
