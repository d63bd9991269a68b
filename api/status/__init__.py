"""Which assertions still stand: the lists that relying parties look their status up in."""
