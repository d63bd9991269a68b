"""`chinhchu pdf`: check a PDF, attach assertions to it, sign over both, print a page for people."""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from getpass import getpass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.output import EXIT_PASSED, one_line, print_json, read_input, write_output
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from pyhanko.sign.signers import Signer

MEDIA_TYPE = "application/pdf"
MAX_PDF_BYTES = 128 << 20
MAX_PASSWORD_FILE = 4096
PASSWORD_VARIABLE = "CHINHCHU_PDF_PASSWORD"  # noqa: S105 - the variable's name, not a password

EPILOG = f"""\
examples:
  chinhchu pdf check contract.pdf
  chinhchu pdf attach contract.pdf --assertion assertion.txt --tsa https://tsa.example --out a.pdf
  chinhchu pdf attach contract.pdf --assertion seller.txt --assertion buyer.txt \\
      --tsa https://tsa.example --out a.pdf
  chinhchu pdf sign a.pdf --pkcs12 notary.p12 --tsa https://tsa.example \\
      --root notary-ca.pem --tsa-root tsa-ca.pem --out b.pdf
  chinhchu pdf sign b.pdf --pkcs11 /usr/lib/token.so --token "Văn phòng" --label seal \\
      --tsa https://tsa.example --root office-ca.pem --tsa-root tsa-ca.pem --out c.pdf
  chinhchu pdf sheet contract.pdf --assertion assertion.txt --url https://office.example/a/1 \\
      --out sheet.pdf
  chinhchu verify c.pdf --root root.pem --audience notary-7 --nonce n-0S6_WzA2Mj \\
      --signature-root notary-ca.pem --signature-root office-ca.pem --timestamp-root tsa-ca.pem

The document itself stays byte for byte what the session was opened for; everything is appended.
The password of the PKCS#12 file, or the token's PIN, comes from --password-file, else from
{PASSWORD_VARIABLE}, else it is asked for. Needs chinhchu[pdf].

exit codes:
  0  written; of check: the document can carry assertions
  2  wrong usage
  4  something could not be read, reached or signed; nothing is written
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `pdf check`, `pdf attach`, `pdf sign` and `pdf sheet`."""
    group = commands.add_parser(
        "pdf",
        help="check a PDF, attach assertions to it, sign over both, print a page for people",
        description="Keep assertions in the PDF that they are for.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    check = _action(actions, "check", "say whether a document can carry assertions")
    check.set_defaults(run=run_check)
    for name, text, fill in (
        ("attach", "append assertions and timestamps as attachments", _register_attach),
        ("sign", "append a PAdES B-LTA signature", _register_sign),
        ("sheet", "make the evidence sheet with its QR code", _register_sheet),
    ):
        writing = _action(actions, name, text)
        writing.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="where it goes"
        )
        fill(writing)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("document", type=Path, metavar="DOCUMENT", help="the PDF")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_assertions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--assertion",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="the assertion for it; with several parties once for each",
    )


def _register_attach(parser: argparse.ArgumentParser) -> None:
    _add_assertions(parser)
    stamp = parser.add_mutually_exclusive_group()
    stamp.add_argument(
        "--tsa",
        metavar="URL",
        help="timestamp authority (RFC 3161); without a timestamp nobody "
        "can tell later that the assertion was valid when it was attached",
    )
    stamp.add_argument(
        "--timestamp",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a token that is at hand; once for each assertion, in the same order",
    )
    parser.add_argument(
        "--tsa-root",
        type=Path,
        action="append",
        default=[],
        metavar="CA.pem",
        help="verify the token to this root before it is attached; once for each",
    )
    parser.set_defaults(run=run_attach)


def _register_sign(parser: argparse.ArgumentParser) -> None:
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--pkcs12", type=Path, metavar="FILE", help="key and certificates in a file")
    key.add_argument("--pkcs11", type=Path, metavar="LIBRARY", help="library of a token")
    parser.add_argument("--token", metavar="LABEL", help="label of the token")
    parser.add_argument("--label", help="label of key and certificate in the token")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="its first line")
    parser.add_argument("--tsa", required=True, metavar="URL", help="timestamp authority")
    for option, text in (
        ("--root", "root certificate of the signer's authority"),
        ("--tsa-root", "root certificate of the timestamp authority"),
    ):
        parser.add_argument(
            option, type=Path, action="append", required=True, metavar="CA.pem", help=text
        )
    for option, text in (
        ("--certificate", "a certificate of the chains that the key's file does not hold"),
        ("--crl", "a revocation list that is at hand (PEM or DER)"),
    ):
        parser.add_argument(
            option, type=Path, action="append", default=[], metavar="FILE", help=text
        )
    parser.add_argument(
        "--no-fetch", action="store_true", help="fetch no revocation lists; give them by --crl"
    )
    parser.add_argument(
        "--field",
        metavar="NAME",
        help="a signature field that the document reserves; invisible without",
    )
    parser.add_argument(
        "--url", help="with --field: where people find the assertion, for the QR code; https"
    )
    parser.add_argument("--reason", help="why, in the signature")
    parser.add_argument("--location", help="where, in the signature")
    parser.set_defaults(run=run_sign)


def _register_sheet(parser: argparse.ArgumentParser) -> None:
    _add_assertions(parser)
    parser.add_argument(
        "--url", required=True, help="where people find the assertion or how to check it; https"
    )
    parser.set_defaults(run=run_sheet)


def run_check(args: argparse.Namespace) -> int:
    """Check a document, and tell what a session's request says of it."""
    with _extra():
        from api.pdf.attachments import check_document
    document = read_input(args.document, MAX_PDF_BYTES)
    check_document(document)
    digest = sha256(document).hexdigest()
    if args.json:
        described = {"media_type": MEDIA_TYPE, "sha256": digest, "byte_length": len(document)}
        print_json({"file": str(args.document), **described})
    else:
        print(f"{args.document}  can carry assertions")
        print(f"  {len(document)} bytes  SHA-256 {digest}")
    return EXIT_PASSED


def run_attach(args: argparse.Namespace) -> int:
    """Attach."""
    with _extra():
        from api.pdf.attachments import CarriedAssertion, attach_all
        from api.pdf.timestamp_client import request_timestamp
    document = read_input(args.document, MAX_PDF_BYTES)
    assertions = [_assertion(path) for path in args.assertion]
    # Attached once without tokens, so that no authority is asked about what will be refused.
    result = attach_all(document, [CarriedAssertion(assertion) for assertion in assertions])
    tokens = [read_input(path) for path in args.timestamp]
    if args.tsa:
        tokens = [request_timestamp(args.tsa, assertion) for assertion in assertions]
    times: list[str | None] = []
    if tokens:
        if len(tokens) != len(assertions):
            raise InputUnusableError("give one --timestamp for each --assertion, in the same order")
        pairs = list(zip(assertions, tokens, strict=True))
        times = [_verified(token, assertion, args.tsa_root) for assertion, token in pairs]
        result = attach_all(document, [CarriedAssertion(*pair) for pair in pairs])
    if len(assertions) == 1:
        return _written(args, result, {"timestamp": times[0] if times else None})
    return _written(args, result, {"timestamps": times})


def run_sign(args: argparse.Namespace) -> int:
    """Sign."""
    with _extra():
        from api.pdf.signing import sign
    document = read_input(args.document, MAX_PDF_BYTES)
    given = {
        "signature_roots": [read_input(path) for path in args.root],
        "timestamp_roots": [read_input(path) for path in args.tsa_root],
        "crls": [read_input(path) for path in args.crl],
        "certificates": [read_input(path) for path in args.certificate],
    }
    with _signer(args) as signer:
        result = sign(
            document,
            signer,
            tsa_url=args.tsa,
            fetch_crls=not args.no_fetch,
            field=args.field,
            reason=args.reason,
            location=args.location,
            url=args.url,
            **given,
        )
    return _written(args, result, {})


def run_sheet(args: argparse.Namespace) -> int:
    """Make the sheet."""
    with _extra():
        from api.pdf.sheet import make_sheet
    document = read_input(args.document, MAX_PDF_BYTES)
    assertions = [_assertion(path) for path in args.assertion]
    return _written(args, make_sheet(document, assertions, url=args.url), {})


def _assertion(path: Path) -> bytes:
    return one_line(read_input(path))


def _verified(token: bytes, assertion: bytes, roots: list[Path]) -> str | None:
    """Return the time of a token that verifies; None where no root is there to verify it to."""
    if not roots:
        return None
    from api.assertions.timestamps import verify_timestamp

    time = verify_timestamp(token, sha256(assertion).digest(), [read_input(p) for p in roots])
    return time.isoformat()


@contextmanager
def _signer(args: argparse.Namespace) -> "Iterator[Signer]":
    from api.pdf.signing import signer_from_pkcs11, signer_from_pkcs12

    if args.pkcs12:
        data = read_input(args.pkcs12)
        yield signer_from_pkcs12(data, _password(args.password_file, "Password of the key: "))
        return
    if not args.token or not args.label:
        raise InputUnusableError("--pkcs11 needs --token and --label")
    pin = _password(args.password_file, "PIN of the token: ")
    with signer_from_pkcs11(
        args.pkcs11, token_label=args.token, label=args.label, pin=pin
    ) as signer:
        yield signer


def _password(file: Path | None, prompt: str) -> str:
    if file is not None:
        try:
            return read_input(file, MAX_PASSWORD_FILE).decode().partition("\n")[0].rstrip("\r")
        except UnicodeDecodeError:
            raise InputUnusableError(f"{file} is not text in UTF-8") from None
    return os.environ.get(PASSWORD_VARIABLE) or getpass(prompt)


def _written(
    args: argparse.Namespace, data: bytes, facts: Mapping[str, str | Sequence[str | None] | None]
) -> int:
    write_output(args.out, data)
    digest = sha256(data).hexdigest()
    if args.json:
        print_json({"file": str(args.out), "bytes": len(data), "sha256": digest, **facts})
    else:
        print(f"{args.out}  {len(data)} bytes  SHA-256 {digest}")
        for name, value in facts.items():
            for time in [value] if value is None or isinstance(value, str) else value:
                if time is not None:
                    print(f"  {name.removesuffix('s')} {time}")
    return EXIT_PASSED


@contextmanager
def _extra() -> Iterator[None]:
    """Say what is missing where the extra `pdf` is not installed."""
    from api.pdf.errors import PdfExtraMissingError

    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in (
            "pyhanko",
            "fpdf",
            "segno",
            "font_source_sans_pro",
        ):
            raise
        raise PdfExtraMissingError("install chinhchu[pdf] to work with PDF documents") from None
