"""What these tests share."""

from tests.fixtures.killed import killed

__all__ = ["killed"]
