"""Build `chinhchu-verify.pyz`: the verifier alone, in one file that a relying party can keep.

It holds the command `verify` and what that imports, and asn1crypto for timestamps. It runs on
Python with the package cryptography; for PDF files with pyHanko besides. The same sources give the
same bytes, so that its SHA-256 can be published and compared.

    python -m api.cli.build_verifier dist/chinhchu-verify.pyz
"""

import argparse
import ast
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

ENTRY_MODULES = ("api.cli", "api.cli.verify")
OWN_PACKAGES = ("api", "biometrics", "devices")
DATA = ("messages.en.json", "messages.vi.json", "vct.json")
"""Of `api.assertions`."""
BUNDLED = "asn1crypto"
INTERPRETER = b"#!/usr/bin/env python3\n"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP file can say

MAIN = '''\
"""Start the verifier; what it cannot start without is told in words, under exit code 4."""

import sys

if sys.version_info < (3, 11):
    print("chinhchu-verify needs Python 3.11 or later", file=sys.stderr)
    sys.exit(4)
try:
    from cryptography.x509.verification import ExtensionPolicy  # noqa: F401
except ImportError:
    print(
        "chinhchu-verify needs cryptography 48 or later: python -m pip install cryptography",
        file=sys.stderr,
    )
    sys.exit(4)

from api.cli import main

arguments = sys.argv[1:]
if arguments != ["--version"]:
    arguments = ["verify", *arguments]
sys.exit(main(arguments, groups=["verify"]))
'''


def build(out: Path) -> str:
    """Write the file and return its SHA-256 in hex."""
    content: dict[str, bytes] = {"__main__.py": MAIN.encode()}
    for name in sorted(verifier_modules()):
        source = _source(name)
        is_package = source.name == "__init__.py"
        path = f"{name.replace('.', '/')}{'/__init__' if is_package else ''}.py"
        content[path] = source.read_bytes()
    for name in DATA:
        content[f"api/assertions/{name}"] = (_source("api.assertions").parent / name).read_bytes()
    content |= _distribution("chinhchu", with_sources=False)
    content |= _distribution(BUNDLED, with_sources=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        file.write(INTERPRETER)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(content):
                entry = zipfile.ZipInfo(path, EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3  # whatever system builds it
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content[path])
    out.chmod(0o755)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def verifier_modules() -> set[str]:
    """Return the project's modules that the entries import, at once or when they need them."""
    found: set[str] = set()
    waiting = list(ENTRY_MODULES)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [package for package in [name.rpartition(".")[0]] if package]
        waiting += _imports(ast.parse(_source(name).read_bytes()))
    return found


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.partition(".")[0] in OWN_PACKAGES and _is_module(name):
                yield name
        yield from _imports(node)


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module and no package
        return False


def _source(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None, name
    return Path(spec.origin)


def _distribution(name: str, *, with_sources: bool) -> dict[str, bytes]:
    """Return a distribution's metadata and licence, and its modules if asked for."""
    distribution = metadata.distribution(name)
    folder = f"{name}-{distribution.version}.dist-info"
    content = {f"{folder}/METADATA": (distribution.read_text("METADATA") or "").encode()}
    for file in distribution.files or ():
        is_licence = "LICENSE" in file.name and ".dist-info" in file.parts[0]
        is_source = with_sources and file.parts[0] == name and file.suffix == ".py"
        if is_licence or is_source:
            content[file.as_posix()] = Path(str(file.locate())).read_bytes()
    return content


def main() -> int:
    """Build the file that is named and print its digest as `sha256sum` does."""
    parser = argparse.ArgumentParser(
        prog="python -m api.cli.build_verifier",
        description="Build the verifier as one file.",
    )
    parser.add_argument("out", type=Path, metavar="FILE", help="such as dist/chinhchu-verify.pyz")
    out = parser.parse_args().out
    print(f"{build(out)}  {out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
