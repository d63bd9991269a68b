"""Verifying evidence against the bare calls of the cryptographic library, and loading anchors.

`verify_ratio` is the whole of `verify_evidence` (certificate path, hashes, clone check, contents)
over the calls that no verification can do without, with keys that are loaded already: the hash of
each data group that was read, the hash of what the SOD signs, the SOD's signature, the recovery of
the chip's answer and the hash in it. What is not one of these is not in the bound: parsing, and the
digests that only name the SOD and the certificates in the verdict. There is no revocation list.

In the plain figure the server has seen a card of this document signer before, which signs a hundred
thousand; so the signature of its certificate is in neither side. In `.first` it has not, and it is
in both.
"""

import hashlib
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from benchmarks.result import Figures, Metric, Skipped, median_ms
from biometrics.manifest import load_manifest
from biometrics.weights import sample
from devices.emrtd.crypto.public_keys import PublicKey, RsaKey
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import parse_dg15
from devices.emrtd.lds.mrz import Can
from devices.emrtd.lds.sod import parse_sod
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.certificates import Certificate, forget_certificates, parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.trust_import import import_objects
from devices.emrtd.trust.trust_store import TrustStore, save_store
from devices.emrtd.verification.verifier import verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.keys import KeyType
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import SPECIMEN, load_profile

CHALLENGE = bytes(range(8))
KEYS: dict[str, KeyType] = {
    "rsa2048": "rsa-2048",
    "brainpoolp256r1": "ecdsa-brainpoolP256r1",
}
DATA = "CHINHCHU_TEST_DATA"


def measure(quick: bool) -> Figures:
    """Verify a specimen under each kind of signer; load every anchor of the German master list."""
    n = 20 if quick else 300
    figures: Figures = {}
    for variant, key_type in KEYS.items():
        figures |= _verification(variant, key_type, n)
    return figures | _anchors(3 if quick else 15)


def _verification(variant: str, key_type: KeyType, n: int) -> Figures:
    portrait = sample(load_manifest(), "obama").read_bytes()
    pki = TestPki.create(key_type, key_type)
    card = personalise(load_profile(SPECIMEN), portrait=portrait, pki=pki)
    evidence = read_chip(SimulatedCard(card), Can(card.behaviour.can), challenge=CHALLENGE)
    csca, at = parse_certificate(card.csca), datetime.now(UTC)
    anchors = TrustAnchors((csca,))

    def again() -> None:
        verdict = verify_evidence(evidence, anchors, challenge=CHALLENGE, at=at)
        if verdict.outcome != "PASSED":
            raise RuntimeError("the specimen does not verify: its time means nothing")

    def first() -> None:
        forget_certificates()
        fresh = TrustAnchors((csca,))
        verify_evidence(evidence, fresh, challenge=CHALLENGE, at=at)

    signature = _bare_signature(csca.public_key, _certificate_parts(evidence))
    calls = _bare_calls(evidence)

    def first_calls() -> None:
        signature()
        calls()

    figures: Figures = {}
    for suffix, work, bare in (("", again, calls), (".first", first, first_calls)):
        taken, bound = _medians_ms(work, bare, n)
        figures[f"trust.verify.{variant}{suffix}"] = Metric(taken, "ms", n, bound)
        figures[f"trust.verify_ratio.{variant}{suffix}"] = Metric(taken / bound, "×", n, 1.0)
    return figures


def _medians_ms(work: Callable[[], None], bare: Callable[[], None], n: int) -> tuple[float, float]:
    """Return the median times of both, taken in turn so that the machine's load meets both."""
    work()
    bare()
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        middle = time.perf_counter()
        bare()
        times.append((middle - start, time.perf_counter() - middle))
    taken, bound = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
    return taken, bound


def _bare_calls(evidence: ChipEvidence) -> Callable[[], None]:
    """Return the hashes and signatures that the module's docstring names."""
    assert evidence.sod is not None
    assert evidence.aa_response is not None
    signed = parse_sod(evidence.sod).signed_data
    (info,) = signed.signers
    hashed = [*evidence.data_groups.values(), signed.content]
    sod = _bare_signature(
        signed.certificates[0].public_key, (info.signature, info.attributes or b"")
    )
    dg15 = evidence.data_group(15)
    assert dg15 is not None
    chip_key = parse_dg15(dg15)
    assert isinstance(chip_key, RsaKey)
    answer = evidence.aa_response

    def calls() -> None:
        for data in hashed:
            hashlib.sha256(data).digest()
        sod()
        # ISO/IEC 9796-2 with message recovery: the library has no call for it.
        block = pow(int.from_bytes(answer, "big"), chip_key.exponent, chip_key.modulus)
        recovered = block.to_bytes(chip_key.size_bytes, "big")
        # 6A || M1 || SHA-256 || 34CC
        hashlib.sha256(recovered[1:-34] + CHALLENGE).digest()

    return calls


def _certificate_parts(evidence: ChipEvidence) -> tuple[bytes, bytes]:
    assert evidence.sod is not None
    signer: Certificate = parse_sod(evidence.sod).certificates[0]
    return signer.signature, signer.signed


def _bare_signature(key: PublicKey, parts: tuple[bytes, bytes]) -> Callable[[], None]:
    signature, message = parts
    if isinstance(key, RsaKey):
        rsa_key = key.library_key
        return lambda: rsa_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    ec_key = key.library_key
    assert ec_key is not None
    return lambda: ec_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def _anchors(n: int) -> Figures:
    names = ("trust.anchors_loaded", "trust.anchors_load_ms", "trust.anchor_lookup_us")
    folder = Path(os.environ.get(DATA, "../shared/data")) / "chip/masterlists"
    lists = sorted(folder.glob("DE_ML_*.ml"))
    root = folder / "DE_ROOT_CA_CSCA07.cer"
    if not lists or not root.is_file():
        reason = f"no German master list: set {DATA} to the folder of the test data"
        return {name: Skipped(reason) for name in names}
    with tempfile.TemporaryDirectory() as trust:
        files = [(path.name, path.read_bytes()) for path in lists]
        certificate = parse_certificate(root.read_bytes())
        store, _ = import_objects(
            TrustStore(), files, root=certificate, pin=False, at=datetime.now(UTC)
        )
        save_store(Path(trust), store)

        def load() -> TrustAnchors:
            forget_certificates()
            return TrustAnchors.from_directory(Path(trust))

        load_ms = median_ms(load, n)
        tracemalloc.start()
        anchors = load()
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    identifiers = [anchor.key_identifier for anchor in anchors.certificates]

    def look_up() -> None:
        for identifier in identifiers:
            anchors.by_key_identifier(identifier)

    lookup_us = median_ms(look_up, n) * 1000 / len(identifiers)
    return {
        "trust.anchors_loaded": Metric(len(anchors.certificates), "certificates", 1),
        "trust.anchors_load_ms": Metric(load_ms, "ms", n),
        "trust.anchors_memory": Metric(used / 2**20, "MiB", 1),
        "trust.anchor_lookup_us": Metric(lookup_us, "µs", n),
    }
