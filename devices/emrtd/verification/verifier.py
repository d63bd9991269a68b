"""The verdict about a chip, from evidence alone: nothing that the terminal says is believed.

Source: ICAO Doc 9303-11, 5.1 (Passive Authentication), 6.1 (Active Authentication); 9303-12, 5.
"""

import hashlib
from datetime import datetime

from devices.emrtd.active_authentication import CHALLENGE_BYTES
from devices.emrtd.checks import (
    CRL,
    DATA_GROUP_HASHES,
    DOCUMENT_CONSISTENCY,
    DOCUMENT_EXPIRY,
    DOWNGRADE,
    DSC_CHAIN,
    PORTRAIT,
    SOD_SIGNATURE,
    Check,
    CheckResult,
    decide_outcome,
    failed,
    not_performed,
    not_supported,
    ok,
)
from devices.emrtd.errors import (
    AuthenticationRefusedError,
    ChallengeMalformedError,
    SodMalformedError,
)
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.files import CARD_SECURITY
from devices.emrtd.lds import FaceImage, parse_dg1, parse_dg2, parse_dg14
from devices.emrtd.lds.dg13 import Dg13, parse_dg13
from devices.emrtd.lds.mrz import Mrz
from devices.emrtd.lds.security_infos import SecurityInfo
from devices.emrtd.lds.sod import VerifiedSod, parse_sod, verify_sod
from devices.emrtd.trust.certification_path import VerifiedChain, verify_chain
from devices.emrtd.trust.crl import Crl
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.card_security_check import check_card_security
from devices.emrtd.verification.challenges import Challenges
from devices.emrtd.verification.chip_authentication import ChipAuthenticationChallenge
from devices.emrtd.verification.clone_checks import (
    check_active_authentication,
    check_chip_authentication,
    check_chip_authentication_mapping,
    is_clone_check_withheld,
)
from devices.emrtd.verification.consistency import (
    check_consistency,
    check_document_type,
    check_expiry,
)
from devices.emrtd.verification.document import VerifiedDocument, build_document
from devices.emrtd.verification.downgrade import check_downgrade
from devices.emrtd.verification.online_verdict import (
    AuthorityKey,
    OnlineVerdictRecord,
    check_online_verdict,
)
from devices.emrtd.verification.passive_authentication import VerifiedDataGroups, verify_data_groups
from devices.emrtd.verification.revocation import check_revocation
from devices.emrtd.verification.verdict import ChipVerdict
from devices.errors import DeviceError

__all__ = ["ChipVerdict", "verify_evidence"]


def verify_evidence(
    evidence: ChipEvidence,
    anchors: TrustAnchors,
    *,
    challenge: bytes | None,
    at: datetime,
    ca_challenge: ChipAuthenticationChallenge | None = None,
    online: OnlineVerdictRecord | None = None,
    authority_key: AuthorityKey | None = None,
) -> ChipVerdict:
    """Verify a reading and return the verdict; an adverse finding is a result, not an exception.

    Args:
        evidence: the reading.
        anchors: the operator's trust anchors, with revocation lists and floors for algorithms.
        challenge: the eight bytes that this verifier had given to the terminal, or None; a
            challenge in the evidence proves nothing by itself.
        at: the time of the verdict, with time zone.
        ca_challenge: what this verifier kept of its challenge for Chip Authentication, or None.
        online: what an authority was asked about this document and what it answered, if it was.
        authority_key: the pinned key of the authority that has to agree; None where none has to.

    Raises:
        ChallengeMalformedError: the challenge does not have eight bytes.
        ValueError: `at` has no time zone.
    """
    if challenge is not None and len(challenge) != CHALLENGE_BYTES:
        raise ChallengeMalformedError("a challenge for Active Authentication has eight bytes")
    if at.tzinfo is None:
        raise ValueError("the time of a verdict needs a time zone")
    verification = _Verification(evidence, anchors, Challenges(challenge, ca_challenge), at)
    return verification.run(online, authority_key)


class _Verification:
    """One verification: each step records its check and keeps what it proved."""

    def __init__(
        self,
        evidence: ChipEvidence,
        anchors: TrustAnchors,
        challenges: Challenges,
        at: datetime,
    ) -> None:
        self._evidence = evidence
        self._anchors = anchors
        self._challenges = challenges
        self._at = at
        self._checks: list[Check] = []
        self._ca_public_key: bytes | None = None

    def run(
        self, online: OnlineVerdictRecord | None, authority_key: AuthorityKey | None
    ) -> ChipVerdict:
        sod = self._verify_sod()
        chain = self._verify_chain(sod)
        revocation, crl = self._check_revocation(chain)
        groups = self._verify_groups(sod)
        self._check_clone_and_downgrade(sod, groups)
        is_revoked = revocation.result is CheckResult.FAILED
        document = self._document(sod, None if is_revoked else chain, groups)
        self._checks.append(revocation)
        raw_sod = self._evidence.sod
        sod_sha256 = hashlib.sha256(raw_sod).hexdigest() if raw_sod else None
        lds_sha256 = hashlib.sha256(sod.sod.signed_data.content).hexdigest() if sod else None
        online_check, online_verdict = check_online_verdict(online, authority_key, lds_sha256)
        self._checks.append(online_check)
        outcome, reasons = decide_outcome(self._checks)
        return ChipVerdict(
            outcome=outcome,
            reasons=reasons,
            checks=tuple(self._checks),
            document=document,
            access=self._evidence.access,
            sod_sha256=sod_sha256,
            lds_sha256=lds_sha256,
            dsc_sha256=sod.signer.sha256 if sod else None,
            csca_ski=chain.anchor.key_identifier.hex() if chain else None,
            path_sha256=chain.fingerprints if chain else (),
            trust_list_id=self._anchors.digest,
            crl_time=crl.this_update if crl else None,
            dg_listed=sod.sod.data_groups if sod and chain else (),
            dg_verified=groups.numbers if groups else (),
            challenge=self._challenges.aa,
            ca_public_key=self._ca_public_key,
            online_verdict=online_verdict,
        )

    def _verify_sod(self) -> VerifiedSod | None:
        if self._evidence.sod is None:
            self._checks.append(failed(SOD_SIGNATURE, "sod-missing"))
            return None
        try:
            anchors = self._anchors
            sod = verify_sod(parse_sod(self._evidence.sod), anchors.certificates, anchors.policy)
        except AuthenticationRefusedError as error:
            self._checks.append(failed(SOD_SIGNATURE, error.reason))
            return None
        except SodMalformedError as error:
            self._checks.append(failed(SOD_SIGNATURE, error.code))
            return None
        except DeviceError:
            self._checks.append(failed(SOD_SIGNATURE, SodMalformedError.code))
            return None
        self._checks.append(ok(SOD_SIGNATURE))
        return sod

    def _verify_chain(self, sod: VerifiedSod | None) -> VerifiedChain | None:
        if sod is None:
            self._checks.append(not_performed(DSC_CHAIN, "sod-not-verified"))
            return None
        try:
            chain = verify_chain(
                sod.signer, self._anchors, at=self._at, signing_time=sod.sod.signing_time
            )
        except AuthenticationRefusedError as error:
            is_unknown = error.reason == "csca-unknown"
            finding = not_performed if is_unknown else failed
            self._checks.append(finding(DSC_CHAIN, error.reason))
            return None
        self._checks.append(ok(DSC_CHAIN, "dsc-pinned" if chain.is_pinned else None))
        return chain

    def _check_revocation(self, chain: VerifiedChain | None) -> tuple[Check, Crl | None]:
        if chain is None:
            return not_performed(CRL, "chain-not-verified"), None
        return check_revocation(chain, self._anchors, at=self._at)

    def _verify_groups(self, sod: VerifiedSod | None) -> VerifiedDataGroups | None:
        if sod is None:
            self._checks.append(not_performed(DATA_GROUP_HASHES, "sod-not-verified"))
            return None
        try:
            groups = verify_data_groups(sod, self._evidence.data_groups)
        except AuthenticationRefusedError as error:
            self._checks.append(failed(DATA_GROUP_HASHES, error.reason))
            return None
        self._checks.append(ok(DATA_GROUP_HASHES))
        return groups

    def _check_clone_and_downgrade(
        self, sod: VerifiedSod | None, groups: VerifiedDataGroups | None
    ) -> None:
        """Record whether the chip answered for its own keys, and was opened as well as it can be.

        What the chip can do is believed of DG14 and EF.CardSecurity, which the issuer signed.
        """
        evidence = self._evidence
        infos = self._dg14(groups)
        chip = check_chip_authentication(evidence, sod, groups, infos, self._challenges.ca)
        if chip.result is CheckResult.OK and evidence.ca is not None:
            self._ca_public_key = evidence.ca.request.public_key
        card_security, card_security_check = check_card_security(
            evidence.files.get(CARD_SECURITY.name), self._anchors, at=self._at
        )
        self._checks += [
            check_active_authentication(evidence, sod, groups, infos or (), self._challenges.aa),
            chip,
            check_chip_authentication_mapping(evidence, card_security),
            card_security_check,
        ]
        if sod is None or groups is None:
            self._checks.append(not_performed(DOWNGRADE, "data-groups-not-verified"))
        elif 14 in groups.files and infos is None:
            self._checks.append(failed(DOWNGRADE, "dg14-malformed"))
        else:
            is_proven = card_security_check.result is CheckResult.OK
            check = check_downgrade(
                evidence,
                infos,
                sod_lists_dg14=14 in sod.sod.hashes,
                card_security=(card_security or ()) if is_proven else (),
                is_clone_check_withheld=is_clone_check_withheld(evidence, sod, infos),
            )
            self._checks.append(check)

    def _dg14(self, groups: VerifiedDataGroups | None) -> tuple[SecurityInfo, ...] | None:
        """Return what the issuer says that the chip can do; None if unread or malformed."""
        if groups is None or 14 not in groups.files:
            return None
        try:
            return parse_dg14(groups.files[14])
        except DeviceError:
            return None

    def _document(
        self,
        sod: VerifiedSod | None,
        chain: VerifiedChain | None,
        groups: VerifiedDataGroups | None,
    ) -> VerifiedDocument | None:
        """Record the checks on the contents; return them if they are proven."""
        mrz = self._mrz(groups)
        if sod is None or groups is None or mrz is None:
            return None
        dg13 = self._dg13(groups)
        consistency = check_consistency(mrz, dg13, sod.signer.country, self._at)
        if consistency.result is CheckResult.OK:
            consistency = check_document_type(mrz, sod.signer.extensions.document_types)
        if 13 in groups.files and dg13 is None and consistency.result is CheckResult.OK:
            consistency = not_performed(DOCUMENT_CONSISTENCY, "dg13-malformed")
        self._checks += [consistency, check_expiry(mrz, dg13, self._at)]
        portrait = self._portrait(groups, is_listed=2 in sod.sod.hashes)
        if chain is None:
            return None
        return build_document(groups, chain, mrz=mrz, dg13=dg13, portrait=portrait, at=self._at)

    def _mrz(self, groups: VerifiedDataGroups | None) -> Mrz | None:
        if groups is not None:
            try:
                return parse_dg1(groups.files[1])
            except DeviceError:
                self._checks.append(failed(DOCUMENT_CONSISTENCY, "dg1-malformed"))
                self._checks.append(not_performed(DOCUMENT_EXPIRY, "dg1-malformed"))
        else:
            for name in (DOCUMENT_CONSISTENCY, DOCUMENT_EXPIRY):
                self._checks.append(not_performed(name, "data-groups-not-verified"))
        self._checks.append(not_performed(PORTRAIT, "data-groups-not-verified"))
        return None

    def _dg13(self, groups: VerifiedDataGroups) -> Dg13 | None:
        try:
            return parse_dg13(groups.files[13]) if 13 in groups.files else None
        except DeviceError:
            return None

    def _portrait(self, groups: VerifiedDataGroups, *, is_listed: bool) -> FaceImage | None:
        if not is_listed:
            # A card for a child under six carries no portrait.
            self._checks.append(not_supported(PORTRAIT, "dg2-absent"))
            return None
        if 2 not in groups.files:
            self._checks.append(not_performed(PORTRAIT, "dg2-not-read"))
            return None
        try:
            portrait = parse_dg2(groups.files[2])[0]
        except DeviceError:
            self._checks.append(not_performed(PORTRAIT, "dg2-malformed"))
            return None
        self._checks.append(ok(PORTRAIT))
        return portrait
