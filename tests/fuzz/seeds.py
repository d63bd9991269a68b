"""Well-formed inputs to begin from: published specimens and the simulated card's files."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from devices.emrtd.evidence import (
    CamRecord,
    ChipAuthenticationRecord,
    ChipAuthenticationRequest,
    ChipEvidence,
    PaceRecord,
)
from devices.emrtd.lds.sod import parse_sod
from devices.simulator.personalise import personalise
from devices.simulator.profile import load_profile
from devices.tlv import encode_tlv, parse_tlv
from tests.fuzz.master_list import entries, master_list

SPECIMEN = Path(__file__).parents[2] / "devices/simulator/specimen.toml"

# Target to files below `chip/` of the test data.
_PUBLISHED = {
    "card-security": ("efcardsecurity/efcardsecurity.dump",),
    "com": ("bsi2008/EF_COM.bin", "loes2006/ef011E.bin"),
    "sod": ("bsi2008/EF_SOD.bin", "loes2006/ef011D.bin"),
    "dg1": ("bsi2008/Datagroup1.bin", "loes2006/ef0101.bin"),
    "dg2": (
        "dg2_iso39794/dg2_silver_all_fields.bin",
        "dg2_iso39794/dg2_silver_mandatory_fields.bin",
        "bsi2008/Datagroup2.bin",
    ),
    "dg5": ("bsi2008_extra_tsemrtd/EF_DG5.bin",),
    "dg7": ("bsi2008_extra_tsemrtd/EF_DG7.bin",),
    "dg11": ("bsi2008_extra_tsemrtd/EF_DG11.bin",),
    "dg12": ("bsi2008_extra_tsemrtd/EF_DG12.bin",),
    "dg14": ("bsi2008/Datagroup14.bin",),
    "dg15": ("bsi2008/Datagroup15.bin", "loes2006/ef010F.bin"),
    "certificate": (
        "certs/VN_CSCA_ePassport_2022_from_DE_ML.der",
        "certs/dsc_de_0130846f2b3e.cer",
        "certs/dsc_de_0142fd5cf927.cer",
    ),
}
_WRITTEN = {
    "tlv": ("6f0a8408a00000024710010187", "7f4906060104020102"),
    "one-tlv": ("7f490406020102",),
    "apdu-response": ("9000", "01029000", "63c2"),
    "protected-response": ("990290008e08cbedaa558e8a5eec", "871101" + 16 * "aa" + "99029000"),
    "atr-info": ("4703b4c0e07f660802020103020201ff", "e0100202010402020103020201040202ffff9000"),
    "historical-bytes": ("3b8880010073c84013009000", "3b8c800180 4f05a000000306 7300c0e0"),
    "dir": ("61094f07a0000002471001610d4f05a00000039750044d524b44ffff",),
    "dg16": ("7020020101a11b5f500832303234303130315f510344414e5f520230315f5302413c",),
    "qr": (
        "|".join(("001190123456", "012345678", "TÊN", "20051990", "Nữ", "Địa chỉ, Xã", "15072024"))
        .encode()
        .hex(),
    ),
}


def seeds_for(target: str, test_data: Path) -> list[bytes]:
    """Return inputs to begin from; published ones only where the test data is there."""
    names = _PUBLISHED.get("certificate" if target == "trust-anchor" else target, ())
    paths = (test_data / "chip" / name for name in names)
    seeds = [path.read_bytes() for path in paths if path.is_file()]
    seeds += [bytes.fromhex(text) for text in _WRITTEN.get(target, ())]
    if target.startswith("picture-"):
        return _pictures(target.removeprefix("picture-").upper())
    return seeds + _simulated(target)


def _simulated(target: str) -> list[bytes]:
    card = personalise(load_profile(SPECIMEN))
    files = card.files
    if target.startswith("dg") or target in ("com", "sod"):
        name = f"EF.{target.upper()}"
        return [files[name]] if name in files else []
    if target == "mrz":
        mrz = parse_tlv(files["EF.DG1"]).child(0x5F1F).value
        return [mrz, b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<" + bytes(44)]
    if target in ("certificate", "trust-anchor"):
        (signer,) = parse_sod(files["EF.SOD"]).certificates
        return [card.csca, signer.der]
    if target == "public-key":
        return [parse_tlv(files["EF.DG15"]).value]
    if target == "card-access":
        return [files["EF.CardAccess"], parse_tlv(files["EF.DG14"]).value]
    if target == "tlv":
        return [encode_tlv(0x30, files["EF.COM"]), files["EF.DG13"]]
    if target == "master-list":
        return [master_list()]
    if target == "master-list-entries":
        return [entries()]
    if target == "crl":
        return [_crl()]
    if target == "evidence":
        return [_evidence(files)]
    return []


def _evidence(files: dict[str, bytes]) -> bytes:
    small = {name: files[name] for name in ("EF.CardAccess", "EF.DG1", "EF.DG13", "EF.DG14")}
    return ChipEvidence(
        files=small,
        access="PACE-CAN",
        access_offered=("0.4.0.127.0.7.2.2.4.2.2",),
        downgrade_reason=None,
        policy="prefer_pace",
        pace=PaceRecord("0.4.0.127.0.7.2.2.4.2.2", 13, CamRecord(bytes(65), bytes(32))),
        aa_challenge=bytes(8),
        aa_response=bytes(64),
        times_ms={"access": 100},
        apdu_count=12,
        reader="fuzz",
        agent="fuzz",
        ca=ChipAuthenticationRecord(
            ChipAuthenticationRequest("0.4.0.127.0.7.2.2.3.2.2", 1, bytes(65), bytes(30)), bytes(40)
        ),
    ).to_bytes()


def _crl() -> bytes:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    entry = x509.RevokedCertificateBuilder().serial_number(77).revocation_date(day)
    entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")])
    builder = x509.CertificateRevocationListBuilder(name, day, day + timedelta(days=90))
    builder = builder.add_revoked_certificate(entry.build())
    builder = builder.add_extension(x509.CRLNumber(3), critical=False)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


# Pillow's format to the ways in which it is written.
_PICTURES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "JPEG": (
        ("L", {"quality": 30}),
        ("RGB", {"quality": 80, "subsampling": 2}),
        ("RGB", {"progressive": True}),
        ("RGB", {"restart_marker_blocks": 2}),
        ("CMYK", {}),
    ),
    "PNG": (("L", {}), ("P", {}), ("RGBA", {}), ("1", {}), ("I;16", {}), ("LA", {})),
    "WEBP": (("RGB", {}), ("RGBA", {"lossless": True})),
    "JPEG2000": (
        ("L", {"no_jp2": True}),
        ("RGB", {"irreversible": True, "quality_layers": [40, 10]}),
        ("RGBA", {"tile_size": (32, 32)}),
        ("I;16", {"num_resolutions": 2}),
        ("L", {"codeblock_size": (16, 16), "precinct_size": (32, 32)}),
    ),
}


def _pictures(kind: str) -> list[bytes]:
    """Return small pictures of one format, drawn here."""
    shades = Image.linear_gradient("L").resize((56, 40))
    seeds = []
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode, options in _PICTURES[kind]:
        picture = shades.convert("I;16") if mode == "I;16" else shades.convert("RGB").convert(mode)
        written = io.BytesIO()
        picture.save(written, kind, exif=exif, **options)
        seeds.append(written.getvalue())
    return seeds
