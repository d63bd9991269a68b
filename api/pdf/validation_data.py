"""What certificates in a PDF are judged by: pinned roots, the document's own data, given lists.

Source: ETSI EN 319 142-1 §5.4.2 (document security store).
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko_certvalidator import ValidationContext

from api.assertions.crl_check import load_crls
from api.assertions.revocation_lookup import RevocationData
from api.errors import ApiError
from api.pdf.errors import PdfTooComplexError
from api.pdf.ocsp import is_vouched_for

MAX_VALIDATION_OBJECTS = 1000
"""Certificates and revocation lists in one document; a signature brings about ten."""
MAX_VALIDATION_BYTES = 64 << 20
"""Of the different lists of one document: the largest public ones have about 20 MB."""

Status = TypeVar("Status")


@dataclass(frozen=True)
class ValidationData:
    """Certificates and revocation data, of the document and of the relying party."""

    certificates: tuple[asn1_x509.Certificate, ...]
    lists: tuple[x509.CertificateRevocationList, ...] = field(repr=False)
    """Revocation lists that the document carries."""
    given: tuple[x509.CertificateRevocationList, ...] = field(repr=False)
    """Revocation lists of the relying party."""
    responses: tuple[bytes, ...] = field(repr=False)
    """OCSP responses that the document carries, in DER."""

    @classmethod
    def of(
        cls, reader: PdfFileReader, given: Sequence[x509.CertificateRevocationList]
    ) -> "ValidationData":
        """Read what a document carries.

        Raises:
            PdfTooComplexError: it is more than `MAX_VALIDATION_OBJECTS`.
        """
        try:
            store = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            return cls((), (), tuple(given), ())
        if len(store.certs) + len(store.crls) + len(store.ocsps) > MAX_VALIDATION_OBJECTS:
            raise PdfTooComplexError("the document carries too much validation data")
        certificates = tuple(store.load_certs())
        lists = _streams(store.crls, DecodePurpose.CRL)
        responses = _streams(store.ocsps, DecodePurpose.OCSP_RESPONSE)
        return cls(certificates, tuple(_readable(lists)), tuple(given), tuple(responses))

    @property
    def revocation(self) -> RevocationData:
        """What revocations are looked up in."""
        return RevocationData(
            self.given, self.lists, partial(is_vouched_for, responses=self.responses)
        )

    @property
    def is_carried(self) -> bool:
        """Whether the document carries anything."""
        return bool(self.certificates or self.lists or self.responses)

    def context(
        self, roots: Sequence[asn1_x509.Certificate], moment: datetime
    ) -> ValidationContext:
        """Return what pyHanko judges certificates by, for some moment."""
        return ValidationContext(
            trust_roots=list(roots),
            allow_fetching=False,
            moment=moment,
            revocation_mode="hard-fail",
            # Lists are fetched after the signature was made.
            retroactive_revinfo=True,
            other_certs=list(self.certificates),
            crls=[crl.public_bytes(Encoding.DER) for crl in (*self.lists, *self.given)],
            ocsps=list(self.responses),
        )


def wait_for(coroutine: Coroutine[Any, Any, Status]) -> Status:
    """Wait for pyHanko in a thread, for the caller may have an event loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def _readable(lists: Sequence[bytes]) -> list[x509.CertificateRevocationList]:
    """Return the lists that can be read; what a document carries besides proves nothing."""
    found: list[x509.CertificateRevocationList] = []
    for data in lists:
        try:
            found += load_crls(data)
        except ApiError:
            continue
    return found


def _streams(references: Iterable[Any], purpose: DecodePurpose) -> list[bytes]:
    """Return what streams hold, each content once."""
    found: dict[bytes, None] = {}
    size = 0
    for reference in dict.fromkeys(one.reference for one in references):
        data = bytes(reference.get_object().read_data(purpose))
        size += 0 if data in found else len(data)
        if size > MAX_VALIDATION_BYTES:
            raise PdfTooComplexError("the document carries too much validation data")
        found[data] = None
    return list(found)
