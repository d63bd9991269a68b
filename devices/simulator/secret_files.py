"""Files that only their owner may read."""

from pathlib import Path


def write_secret(path: Path, content: bytes) -> None:
    """Write a file with the rights 600; on Windows with those of its folder."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
