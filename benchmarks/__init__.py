"""Measurements on this machine: each figure beside a bound or a peer taken in the same run."""
