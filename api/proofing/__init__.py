"""Sessions: from a relying party's request over chip and face to a signed assertion."""
