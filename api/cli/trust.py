"""`chinhchu trust`: whose documents count: import, list, check, export."""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.argument_types import time_with_offset
from api.cli.output import EXIT_FAILED, EXIT_PASSED, read_input, write_output

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from devices.emrtd.crypto.public_keys import PublicKey
    from devices.emrtd.trust.certificates import Certificate

EPILOG = """\
examples:
  chinhchu trust import CSCA_Vietnam.cer --trust trust
  chinhchu trust import DE_ML.ml --root CSCA_Germany.cer --trust trust
  chinhchu trust list --trust trust --country VN
  chinhchu trust check --trust trust
"""

EPILOG_IMPORT = """\
Certificates and revocation lists in DER or PEM, master lists (.ml), or a bundle of `trust export`.
A master list counts only with --root: the certificate of the authority that you trust to make it,
got from elsewhere. A newer list of the same authority takes out what it no longer has. A bundle
replaces the whole store, and needs --digest or --signer.

examples:
  chinhchu trust import CSCA_Vietnam.cer vietnam.crl --trust trust
  chinhchu trust import DE_ML.ml --root CSCA_Germany.cer --trust trust
  chinhchu trust import counter.bundle --digest 5b3c… --trust trust
  chinhchu trust import signer.cer --pin --trust trust        a document signer by itself

exit codes:
  0  everything was taken or was there      1  something was refused      4  a fault
"""

EPILOG_LIST = """\
examples:
  chinhchu trust list --trust trust
  chinhchu trust list --trust trust --country VN --json
"""

EPILOG_CHECK = """\
Is the store empty, are revocation lists missing or stale, do certificates expire within 90 days,
is a master list older than 180 days, did a file slip in?

examples:
  chinhchu trust check --trust trust
  chinhchu trust check --trust trust --at 2027-06-01T00:00:00Z --json

exit codes:
  0  nothing urgent      1  something urgent      4  the store cannot be read
"""

EPILOG_EXPORT = """\
One file for a counter without a network. Its digest is printed: carry it there by another way, or
sign the bundle with --key (EC private key, PEM) and give the counter the public key.

examples:
  chinhchu trust export --trust trust --out counter.bundle
  chinhchu trust export --trust trust --out counter.bundle --key operator.pem
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group to the command line."""
    group = commands.add_parser(
        "trust",
        help="manage the trust anchors that chips are verified against",
        description="Import, list, check and export the authorities whose documents count.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    take = _action(actions, "import", "take certificates and lists into a store", EPILOG_IMPORT)
    take.add_argument("files", metavar="FILE", type=Path, nargs="+", help="what to import")
    take.add_argument("--root", metavar="CERT", type=Path, help="who may make master lists")
    take.add_argument("--pin", action="store_true", help="take document signers themselves too")
    take.add_argument("--digest", metavar="HEX", type=_digest, help="the bundle's, from elsewhere")
    take.add_argument("--signer", metavar="PEM", type=Path, help="public key of who signed it")
    take.set_defaults(run=_run_import)
    show = _action(actions, "list", "show what a store holds", EPILOG_LIST)
    show.add_argument("--country", metavar="XX", type=str.upper, help="only this country's")
    show.set_defaults(run=_run_list)
    check = _action(actions, "check", "say what in a store needs care", EPILOG_CHECK)
    check.add_argument(
        "--at", metavar="TIME", type=time_with_offset, help="ISO 8601 with offset; now if not"
    )
    check.set_defaults(run=_run_check)
    export = _action(actions, "export", "write a store to one file", EPILOG_EXPORT)
    export.add_argument("--out", metavar="FILE", type=Path, required=True, help="write it here")
    export.add_argument("--key", metavar="PEM", type=Path, help="EC private key that signs it")
    export.set_defaults(run=_run_export)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    epilog: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=text,
        description=f"{text.capitalize()}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--trust", metavar="DIR", type=Path, required=True, help="folder of the trust store"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _run_import(args: argparse.Namespace) -> int:
    from api.cli import trust_output
    from api.errors import InputUnusableError
    from devices.emrtd.trust.master_list import MAX_MASTER_LIST_BYTES
    from devices.emrtd.trust.trust_bundle import MAX_BUNDLE_BYTES, import_bundle, is_bundle
    from devices.emrtd.trust.trust_import import ImportOutcome, import_objects
    from devices.emrtd.trust.trust_store import load_store, save_store

    store = load_store(args.trust)
    limit = max(MAX_MASTER_LIST_BYTES, MAX_BUNDLE_BYTES)
    contents = [(path.name, read_input(path, limit)) for path in args.files]
    bundles = [data for _, data in contents if is_bundle(data)]
    if bundles:
        if len(contents) > 1:
            raise InputUnusableError("a bundle is imported by itself: it replaces the store")
        after = import_bundle(
            bundles[0], store, digest=args.digest, signer=_public_key(args.signer)
        )
        entries = trust_output.difference(store, after, contents[0][0])
    else:
        root = _certificate(args.root)
        at = datetime.now(UTC)
        after, entries = import_objects(store, contents, root=root, pin=args.pin, at=at)
    save_store(args.trust, after)
    trust_output.show_import(entries, after, as_json=args.json)
    is_refused = any(entry.outcome is ImportOutcome.REFUSED for entry in entries)
    return EXIT_FAILED if is_refused else EXIT_PASSED


def _run_list(args: argparse.Namespace) -> int:
    from api.cli import trust_output
    from devices.emrtd.trust.csca import TrustAnchors

    anchors = TrustAnchors.from_directory(args.trust)
    trust_output.show_list(anchors, args.country, at=datetime.now(UTC), as_json=args.json)
    return EXIT_PASSED


def _run_check(args: argparse.Namespace) -> int:
    from api.cli import trust_output
    from devices.emrtd.trust.trust_status import concerns
    from devices.emrtd.trust.trust_store import open_store

    store = open_store(args.trust)
    found = concerns(store, at=args.at or datetime.now(UTC))
    trust_output.show_concerns(found, store, as_json=args.json)
    return EXIT_FAILED if any(concern.is_urgent for concern in found) else EXIT_PASSED


def _run_export(args: argparse.Namespace) -> int:
    from api.cli import trust_output
    from devices.emrtd.trust.trust_bundle import bundle_digest, export_bundle
    from devices.emrtd.trust.trust_store import open_store

    store = open_store(args.trust)
    bundle = export_bundle(store, _private_key(args.key))
    write_output(args.out, bundle)
    trust_output.show_export(
        args.out, bundle_digest(bundle), store, is_signed=bool(args.key), as_json=args.json
    )
    return EXIT_PASSED


def _certificate(path: Path | None) -> "Certificate | None":
    from devices.emrtd.trust.certificates import parse_certificate

    return parse_certificate(read_input(path, 1 << 20)) if path else None


def _public_key(path: Path | None) -> "PublicKey | None":
    if path is None:
        return None
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    from api.errors import InputUnusableError
    from devices.emrtd.crypto.public_keys import parse_public_key

    try:
        key = load_pem_public_key(read_input(path, 1 << 20))
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        raise InputUnusableError(f"{path} is not a public key in PEM") from None
    return parse_public_key(encoded)


def _private_key(path: Path | None) -> "EllipticCurvePrivateKey | None":
    if path is None:
        return None
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from api.errors import InputUnusableError

    try:
        key = load_pem_private_key(read_input(path, 1 << 20), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise InputUnusableError(f"{path} is not an EC private key in PEM without a password")
    return key


def _digest(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("a digest is 64 hexadecimal digits")
    return text.lower()
