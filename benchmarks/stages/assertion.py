"""Issuing and verifying an assertion, against the bare ES256 operations and digests.

Both sides are taken in turn, round by round, some calls in one go, with keys loaded; a ratio is the
median of the rounds' ratios. Issuing starts from claims whose checks are done (`assertion.claims`).
A verification rests on three signatures: the assertion's, the leaf's and the issuing CA's. Each
assertion verified is of a leaf of its own, so that all three are verified; the CA's certificate is
the same for all and read once. A verifier that has seen the leaf before remembers the latter two
signatures; so they are in neither side of `.known_issuer`.
"""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions.sd_jwt import issue
from api.assertions.signing_key import signing_key
from api.assertions.verifier import Outcome, verify
from api.keys import authority
from benchmarks.assertion import specimen
from benchmarks.assertion.bare import BareOperations
from benchmarks.assertion.cold_start import VerifyCommand, import_ms, run_python
from benchmarks.assertion.security_module import SoftHsm
from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from benchmarks.peers.npm import Npm
from benchmarks.result import Figures, Metric, Skipped, Times, in_turn, ratio, timed

_SIGNATURES = 3
"""The assertion's, its leaf's, its issuing CA's."""
_CALLS = 20
"""In one go."""
_ORGANISATION, _ISSUER = "Benchmark", "https://issuer.example"


def measure(quick: bool) -> Figures:
    """Issue with a key in a file and in SoftHSM; verify with the document, from the pinned root."""
    rounds = 5 if quick else 40
    figures = _in_one_process(rounds)
    figures |= _security_module(rounds)
    return figures | _cold_start(5 if quick else 30)


def _in_one_process(rounds: int) -> Figures:
    now = datetime.now(UTC)
    root = authority.make_root(_ORGANISATION, now)
    issuing_ca = authority.make_issuing_ca(_ORGANISATION, root, now)
    leaves = (
        authority.make_leaf(_ORGANISATION, _ISSUER, issuing_ca, now)
        for _ in range((rounds + 1) * _CALLS)
    )
    keys = [
        signing_key(leaf.private_key, (leaf.certificate, issuing_ca.certificate)) for leaf in leaves
    ]
    claims = specimen.claims()
    assertions = [issue(claims, key) for key in keys]
    bare = BareOperations.of(assertions[0], keys[0].private_key)
    check = partial(_verify, root.certificate)
    unknown = iter(assertions)
    times = in_turn(
        {
            "claims": timed(specimen.claims, _CALLS),
            "issue": timed(lambda: issue(claims, keys[0]), _CALLS),
            "bare_issue": timed(bare.issue, _CALLS),
            "verify": timed(lambda: check(next(unknown)), _CALLS),
            "known": timed(lambda: check(assertions[0]), _CALLS),
            "bare_verify": timed(lambda: bare.verify(_SIGNATURES), _CALLS),
            "bare_known": timed(lambda: bare.verify(1), _CALLS),
        },
        rounds,
    )
    return {
        "assertion.claims": _median(times["claims"]),
        "assertion.issue": _median(times["issue"], times["bare_issue"]),
        "assertion.issue_ratio": ratio(times["issue"], times["bare_issue"]),
        "assertion.verify": _median(times["verify"], times["bare_verify"]),
        "assertion.verify_ratio": ratio(times["verify"], times["bare_verify"]),
        "assertion.verify.known_issuer": _median(times["known"], times["bare_known"]),
        "assertion.verify_ratio.known_issuer": ratio(times["known"], times["bare_known"]),
        "assertion.size": Metric(len(assertions[0]), "bytes", 1),
        "assertion.verify.sd_jwt_vc": _npm(assertions[0], root, now, rounds * _CALLS),
    }


def _verify(root: x509.Certificate, assertion: str) -> None:
    verification = verify(
        assertion,
        documents=[specimen.DOCUMENT],
        roots=[root],
        audience=specimen.AUDIENCE,
        nonce=specimen.NONCE,
    )
    if verification.outcome is not Outcome.PASSED:
        raise RuntimeError("the specimen does not verify: its time means nothing")


def _npm(assertion: str, root: authority.KeyPair, at: datetime, n: int) -> Metric | Skipped:
    """Let npm's sd-jwt-vc verify, with the path by Node's own X.509."""
    try:
        with Npm() as npm:
            milliseconds = npm.call(
                "sdJwtVc",
                "time",
                token=assertion,
                root=root.certificate.public_bytes(Encoding.PEM).decode("ascii"),
                at=int(at.timestamp()),
                skew=60,
                n=n,
            )
    except (PeerUnavailableError, PeerFailedError) as error:
        return Skipped(str(error))
    return Metric(milliseconds, "ms", n)


def _security_module(rounds: int) -> Figures:
    claims = specimen.claims()
    with ExitStack() as until_done:
        folder = until_done.enter_context(tempfile.TemporaryDirectory())
        try:
            softhsm = SoftHsm.prepare(Path(folder))
        except (PeerUnavailableError, PeerFailedError) as error:
            return {"assertion.issue.softhsm": Skipped(str(error))}
        assertion = issue(claims, softhsm.key)
        bare = BareOperations.of(assertion, softhsm.key.private_key)
        sign = softhsm.bare_signature(bare.message)

        def bare_issue() -> None:
            sign()
            bare.hash_disclosures()

        times = in_turn(
            {
                "issue": timed(lambda: issue(claims, softhsm.key), _CALLS),
                "bare": timed(bare_issue, _CALLS),
            },
            rounds,
        )
    return {
        "assertion.issue.softhsm": _median(times["issue"], times["bare"]),
        "assertion.issue_ratio.softhsm": ratio(times["issue"], times["bare"]),
    }


def _cold_start(n: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        command = VerifyCommand.prepare(Path(folder))
        nothing = ("-c", "pass")
        works: dict[str, Callable[[], float]] = {
            "command": timed(command.run),
            "file": timed(command.run_file),
            "bare": timed(lambda: run_python(*nothing)),
            "imports": command.import_ms,
            "bare_imports": lambda: import_ms(*nothing),
        }
        times = in_turn(works, n)
    return {
        "assertion.verifier_cold_ms": _median(times["command"], times["bare"]),
        "assertion.verifier_cold_ms.pyz": _median(times["file"], times["bare"]),
        "assertion.verifier_cold_ms.imports": _median(times["imports"], times["bare_imports"]),
    }


def _median(times: Times, bound: Times | None = None) -> Metric:
    against = None if bound is None else statistics.median(bound)
    return Metric(statistics.median(times), "ms", len(times), bound=against)
