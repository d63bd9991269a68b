"""Key agreement: what is accepted as an element, and that every path gives the same point."""

import pytest

from devices.emrtd.crypto.dh_agreement import DhAgreement
from devices.emrtd.crypto.dh_groups import DH_GROUPS, DhGroup
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.elliptic_curves import CURVES, Curve
from devices.emrtd.crypto.key_agreement import ElementInvalidError, KeyAgreement
from devices.emrtd.crypto.scalar_multiplication import multiply_secret

DOMAINS: tuple[Curve | DhGroup, ...] = (*CURVES, *DH_GROUPS)
# Primes for which square roots are one power; NIST P-224 alone is no such curve.
NO_INTEGRATED_MAPPING = {"secp224r1"}


def _agreement(domain: Curve | DhGroup) -> KeyAgreement:
    return EcdhAgreement(domain) if isinstance(domain, Curve) else DhAgreement(domain)


@pytest.fixture(params=DOMAINS, ids=lambda domain: domain.name)
def agreement(request: pytest.FixtureRequest) -> KeyAgreement:
    return _agreement(request.param)


def test_both_sides_agree(agreement: KeyAgreement) -> None:
    ours, our_public = agreement.generate(agreement.generator)
    theirs, their_public = agreement.generate(agreement.generator)
    assert agreement.accept(our_public) == our_public
    assert ours.agree(their_public) == theirs.agree(our_public)
    assert ours.multiply(their_public) == theirs.multiply(our_public)
    mapped = agreement.map_generic(1 << 127, ours.multiply(their_public))
    assert agreement.accept(mapped) == mapped != agreement.generator
    ours, our_public = agreement.generate(mapped)
    theirs, their_public = agreement.generate(mapped)
    assert ours.agree(their_public) == theirs.agree(our_public)


def test_integrated_mapping_gives_an_element_or_is_refused(agreement: KeyAgreement) -> None:
    is_defined = not (
        isinstance(agreement, EcdhAgreement) and agreement._curve.name in NO_INTEGRATED_MAPPING
    )
    assert agreement.can_map_integrated is is_defined
    if is_defined:
        elements = {agreement.map_integrated(number) for number in range(2, 12)}
        assert len(elements) == 10
        assert all(agreement.accept(element) == element for element in elements)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
@pytest.mark.parametrize("scalar", [1, 2, 3, -2, -1])
def test_small_and_large_scalars(curve: Curve, scalar: int) -> None:
    """The ladder, the library's way and the plain arithmetic on public values agree."""
    scalar %= curve.n
    agreement = EcdhAgreement(curve)
    for base in (curve.base, curve.multiply(5, curve.base), curve.multiply(-1, curve.base)):
        assert base is not None
        expected = curve.multiply(scalar, base)
        assert expected is not None
        assert multiply_secret(curve, scalar, base) == expected
        private = agreement.private_key(scalar)
        assert private.multiply(curve.encode(base)) == curve.encode(expected)
        assert (
            private.agree(curve.encode(base)) == curve.encode(expected)[1 : 1 + curve.field_bytes]
        )


def test_a_multiple_of_the_order_has_no_point() -> None:
    curve = CURVES[0]
    with pytest.raises(ValueError, match="multiple of the order"):
        multiply_secret(curve, curve.n, curve.base)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_points_that_are_none(curve: Curve) -> None:
    agreement = EcdhAgreement(curve)
    x, y = curve.base
    size = curve.field_bytes
    off_curve = curve.encode((x, (y + 1) % curve.p))
    beyond = b"\x04" + (curve.p).to_bytes(size, "big") + y.to_bytes(size, "big")
    good = curve.encode(curve.base)
    for encoded in (
        b"",
        b"\x00",
        b"\x04",
        bytes(1 + 2 * size),
        b"\x04" + bytes(2 * size),
        off_curve,
        beyond,
        curve.encode_compressed(curve.base),
        good[:-1],
        good + b"\x00",
        b"\x06" + good[1:],
    ):
        with pytest.raises(ElementInvalidError):
            agreement.accept(encoded)


@pytest.mark.parametrize("group", DH_GROUPS, ids=lambda group: group.name)
def test_values_outside_the_subgroup(group: DhGroup) -> None:
    agreement = DhAgreement(group)
    size = group.modulus_bytes
    # An element whose order is the cofactor's: the small-subgroup attack's probe.
    cofactor = next(
        value for value in (pow(h, group.q, group.p) for h in range(2, 50)) if value > 1
    )
    for value in (0, 1, 2, group.p - 1, group.p, group.p + 1, group.p - group.g, cofactor):
        with pytest.raises(ElementInvalidError):
            agreement.accept(value.to_bytes(size + 1, "big").lstrip(b"\x00") or b"\x00")
    with pytest.raises(ElementInvalidError):
        agreement.accept(b"")
    with pytest.raises(ElementInvalidError):
        agreement.accept(b"\x00" + group.g.to_bytes(size, "big"))


def test_a_value_with_or_without_its_leading_zeros_is_the_same() -> None:
    group = DH_GROUPS[0]
    agreement = DhAgreement(group)
    exponent = next(
        n for n in range(1, 4000) if pow(group.g, n, group.p) >> 8 * (group.modulus_bytes - 1) == 0
    )
    value = pow(group.g, exponent, group.p)
    fixed = value.to_bytes(group.modulus_bytes, "big")
    assert agreement.accept(fixed) == agreement.accept(fixed.lstrip(b"\x00")) == fixed
    # The reader never sends such a value itself: cards differ in how they read it.
    scalars = iter([exponent, exponent, 7])
    private, public = agreement.generate(agreement.generator, lambda order: next(scalars))
    assert public == pow(group.g, 7, group.p).to_bytes(group.modulus_bytes, "big")
    assert private.multiply(agreement.generator) == public


def test_a_mapping_onto_the_neutral_element_is_refused(agreement: KeyAgreement) -> None:
    private = agreement.private_key(agreement.order - 5)
    shared = private.multiply(agreement.generator)
    with pytest.raises(ElementInvalidError):
        agreement.map_generic(5, shared)
    assert agreement.map_generic(0, shared) == shared


def test_degenerate_numbers_of_the_integrated_mapping() -> None:
    group = DH_GROUPS[0]
    for number in (0, 1, pow(3, group.q, group.p)):
        with pytest.raises(ElementInvalidError):
            DhAgreement(group).map_integrated(number)
    for curve in CURVES:
        agreement = EcdhAgreement(curve)
        if not agreement.can_map_integrated:
            continue
        for number in (0, 1, curve.p - 1):
            try:
                element = agreement.map_integrated(number)
            except ElementInvalidError:
                continue
            assert curve.decode(element) is not None


def test_private_keys_do_not_show_themselves() -> None:
    for domain in DOMAINS:
        private = _agreement(domain).private_key(0xC0FFEE)
        assert "12648430" not in repr(private)
        assert "c0ffee" not in repr(private).lower()
