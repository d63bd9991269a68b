"""PAdES signatures of notary and organisation, over the document with its assertion.

Each is made at once as B-LTA: the signature with a timestamp, then certificates and revocation
lists (DSS), then a document timestamp over all of it. It shows nothing on the pages, unless the
document itself reserved a visible field for it.

Source: ETSI EN 319 142-1 §6 (PAdES baseline), by pyHanko.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer, SimpleSigner
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from api.assertions.chain import load_roots
from api.assertions.crl_check import load_crls
from api.assertions.errors import RootsUnusableError
from api.errors import InputUnusableError
from api.pdf.active_content import check_static
from api.pdf.appending import check_appended
from api.pdf.attachments import assertions_of
from api.pdf.errors import SignerUnusableError, SigningFailedError
from api.pdf.fields import field_name, reserved_fields, top_fields
from api.pdf.reading import Deadline, accept_hybrid, open_pdf, reading
from api.pdf.revocation import fetch_revocation_lists
from api.pdf.timestamp_client import HttpTimeStamper

if TYPE_CHECKING:
    from pyhanko.stamp import StaticStampStyle


def signer_from_pkcs12(data: bytes, password: str | None) -> Signer:
    """Return what signs with the key of a PKCS#12 file.

    Raises:
        SignerUnusableError: not such a file, another password, or no key with its certificate.
    """
    passphrase = None if password is None else password.encode()
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, passphrase)
        if key is None or certificate is None:
            raise SignerUnusableError("the PKCS#12 file holds no key with its certificate")
        signer: Signer = SimpleSigner.load_pkcs12_data(data, (), passphrase)
    except ValueError:
        raise SignerUnusableError("the PKCS#12 file or its password is wrong") from None
    return signer


@contextmanager
def signer_from_pkcs11(
    module: Path, *, token_label: str, label: str, pin: str | None
) -> Iterator[Signer]:
    """Give what signs with a key in a security module, while the session to it is open.

    Args:
        module: the PKCS#11 library of the token.
        token_label: the token's label.
        label: of key and certificate in it.
        pin: the user's PIN; None where the token asks for it itself.

    Raises:
        SignerUnusableError: the library, the token, the key or the certificate is not there, or
            the PIN is wrong.
    """
    try:
        import pkcs11
        from pyhanko.config.pkcs11 import TokenCriteria
        from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
    except ImportError:
        raise SignerUnusableError("install chinhchu[pkcs11] to sign with a token") from None
    try:
        session = open_pkcs11_session(
            str(module), token_criteria=TokenCriteria(label=token_label), user_pin=pin
        )
    except (pkcs11.PKCS11Error, RuntimeError, OSError):
        raise SignerUnusableError("the security module cannot be opened") from None
    try:
        # All certificates of the token: the chain lies there beside the signer's own.
        signer = PKCS11Signer(session, cert_label=label, key_label=label, other_certs_to_pull=None)
        try:
            certificate = signer.signing_cert
        except (pkcs11.PKCS11Error, SigningError):
            certificate = None
        if certificate is None:
            raise SignerUnusableError(f"the token has no certificate labelled {label}")
        # Not every token hashes for ECDSA; every one signs a digest.
        signer.use_raw_mechanism = certificate.public_key.algorithm == "ec"
        yield signer
    except pkcs11.PKCS11Error as error:
        raise SigningFailedError(f"the token did not sign: {type(error).__name__}") from None
    finally:
        session.close()


def sign(
    document: bytes,
    signer: Signer,
    *,
    tsa_url: str,
    signature_roots: Sequence[bytes],
    timestamp_roots: Sequence[bytes],
    crls: Sequence[bytes] = (),
    certificates: Sequence[bytes] = (),
    fetch_crls: bool = True,
    field: str | None = None,
    reason: str | None = None,
    location: str | None = None,
    url: str | None = None,
) -> bytes:
    """Append a PAdES B-LTA signature.

    Args:
        document: the PDF, with its assertion attached.
        signer: of `signer_from_pkcs12` or `signer_from_pkcs11`.
        tsa_url: RFC 3161 timestamp authority.
        signature_roots: root certificates of the signer's authority, PEM or DER.
        timestamp_roots: root certificates of the timestamp authority, PEM or DER.
        crls: revocation lists that are at hand, PEM or DER.
        certificates: further certificates of the chains, PEM or DER.
        fetch_crls: fetch the lists that the certificates name.
        field: name of a signature field that the document reserves; a new, invisible one if None.
        reason: why, in the signature.
        location: where, in the signature.
        url: where people find the assertion; in a reserved field a QR code shows it, with the
            assertion's hash.

    Returns:
        The document, followed by the revisions of signature, validation data and timestamp.

    Raises:
        SigningFailedError: a certificate does not lead to the roots, is revoked, or its
            revocation status cannot be told; or the field is not there.
        InputUnusableError: there is an address, and no field to show it.
        RootsUnusableError, CrlUnusableError: something else is given than certificates, lists.
        PdfActiveContentError: the document can show something else later.
        TimestampRefusedError, RevocationListUnavailableError: over the network.
        PdfUnusableError, PdfEncryptedError, PdfTooComplexError: the document cannot be read.
    """
    if url is not None and field is None:
        raise InputUnusableError("an address is shown in a reserved field only: name one")
    deadline = Deadline()
    reader = open_pdf(document, deadline)
    check_static(reader, deadline)
    accept_hybrid(reader)
    if field is not None and field not in reserved_fields(reader):
        raise SigningFailedError("the document reserves no empty signature field of that name")
    timestamper = HttpTimeStamper(tsa_url)
    roots = [c for data in (*signature_roots, *timestamp_roots) for c in _certificates(data)]
    try:
        others = [c for data in certificates for c in _certificates(data)]
    except RootsUnusableError:
        raise SigningFailedError("what is given as a certificate of a chain is none") from None
    lists = [one.public_bytes(Encoding.DER) for one in load_crls(*crls)]
    try:
        if fetch_crls:
            lists += fetch_revocation_lists(_chains(signer, timestamper, others))
        metadata = PdfSignatureMetadata(
            field_name=field or _unused_name(reader),
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            embed_validation_info=True,
            use_pades_lta=True,
            reason=reason,
            location=location,
            validation_context=ValidationContext(
                trust_roots=roots,
                other_certs=others,
                crls=lists,
                allow_fetching=False,
                revocation_mode="hard-fail",
            ),
        )
        output = BytesIO()
        with _style(reader, signer, field, url) as style:
            PdfSigner(
                metadata,
                signer,
                timestamper=timestamper,
                new_field_spec=None if field else SigFieldSpec(metadata.field_name or ""),
                **({} if style is None else {"stamp_style": style}),
            ).sign_pdf(
                IncrementalPdfFileWriter.from_reader(reader),
                existing_fields_only=field is not None,
                output=output,
            )
    except SigningError as error:
        if not isinstance(error.__cause__, ValidationError | PathError):
            raise SigningFailedError(f"the document could not be signed: {error}") from None
        raise SigningFailedError(
            "the signer's certificate does not lead to the given root, is revoked, or no "
            "revocation list of its authority could be had"
        ) from None
    except (ValidationError, PathError):
        raise SigningFailedError(
            "the timestamp authority's certificate does not lead to the given root, is revoked, "
            "or no revocation list of its authority could be had"
        ) from None
    except PdfError as error:
        raise SigningFailedError(f"the document could not be signed: {error}") from None
    result = output.getvalue()
    check_appended(document, result)
    return result


@contextmanager
def _style(
    reader: PdfFileReader, signer: Signer, field: str | None, url: str | None
) -> "Iterator[StaticStampStyle | None]":
    if field is None:
        yield None
        return
    # Drawing is needed for a visible field alone, and takes long to import.
    from api.pdf.appearance import field_size, signature_style

    size = field_size(reader, field)
    if size is None:
        yield None
        return
    certificate = signer.signing_cert
    name = certificate.subject.native.get("common_name", "") if certificate else ""
    address = _address(reader, url) if url else None
    with signature_style(size, signer=str(name), address=address) as style:
        yield style


def _address(reader: PdfFileReader, url: str) -> str:
    from api.pdf.qr_code import evidence_address

    return evidence_address(url, [one.assertion for one in assertions_of(reader)])


def _chains(
    signer: Signer, timestamper: HttpTimeStamper, others: Sequence[x509.Certificate]
) -> Iterator[x509.Certificate]:
    import asyncio

    asyncio.run(timestamper.async_dummy_response("sha256"))
    if signer.signing_cert is not None:
        yield signer.signing_cert
    yield from signer.cert_registry
    yield from timestamper.cert_registry
    yield from others


def _unused_name(reader: PdfFileReader) -> str:
    """Return a name for a new field; many programs reserve fields under names like this."""
    with reading():
        used = {field_name(reader, field) for _, field in top_fields(reader)}
    return next(name for name in map("Signature{}".format, count(1)) if name not in used)


def _certificates(data: bytes) -> list[x509.Certificate]:
    return [x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in load_roots(data)]
