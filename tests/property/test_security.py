"""Descriptors and keys under any input."""

from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.security import claims, conditions, krb_keys, sddl, sddl_conditions
from addc.security.access_check import evaluate
from addc.security.access_mask import AccessMask
from addc.security.descriptor import INHERIT_ONLY, Ace, Acl, Control, SecurityDescriptor
from addc.security.sd_create import create_sd, standardize
from addc.security.token import SYSTEM, build_token

sids = st.builds(
    lambda parts: Sid.parse("S-1-5-" + "-".join(map(str, parts))),
    st.lists(st.integers(0, 0xFFFF_FFFF), min_size=1, max_size=5),
)
few_sids = st.sampled_from([Sid.parse(f"S-1-5-21-1-2-3-{rid}") for rid in (500, 512, 513, 1105)]) | sids
guids = st.none() | st.sampled_from([bytes(range(i, i + 16)) for i in range(4)])
masks = st.integers(0, 0xFFFF_FFFF)
flags = st.integers(0, 0x1F)
plain_aces = st.builds(Ace, st.sampled_from((0, 1)), flags, masks, few_sids)
object_aces = st.builds(Ace, st.sampled_from((5, 6)), flags, masks, few_sids, guids, guids)
audit_aces = st.builds(Ace, st.sampled_from((2, 7)), st.integers(0, 0xDF), masks, few_sids)
data = st.binary(max_size=5).map(lambda value: value * 4)
callback_aces = st.builds(
    Ace, st.sampled_from((9, 10, 11, 12)), flags, masks, few_sids, st.none(), st.none(), data
)
dacls = st.none() | st.builds(
    lambda aces: Acl(4, tuple(aces)), st.lists(plain_aces | object_aces | callback_aces, max_size=8)
)
sacls = st.none() | st.builds(lambda aces: Acl(4, tuple(aces)), st.lists(audit_aces, max_size=4))


def _descriptor(
    owner: Sid | None, group: Sid | None, sacl: Acl | None, dacl: Acl | None, bits: int
) -> SecurityDescriptor:
    control = bits & ~0x14 | Control.SR
    control |= Control.SP if sacl is not None else 0
    control |= Control.DP if dacl is not None else 0
    return SecurityDescriptor(int(control), owner, group, sacl, dacl)


descriptors = st.builds(_descriptor, st.none() | sids, st.none() | sids, sacls, dacls, st.integers(0, 0xFFFF))
TOKEN = build_token(Sid.parse("S-1-5-21-1-2-3-1105"), [Sid.parse("S-1-5-21-1-2-3-513")])


@given(descriptors)
def test_descriptors_survive_packing(sd: SecurityDescriptor) -> None:
    assert SecurityDescriptor.unpack(sd.pack()) == sd


@given(st.binary(max_size=400))
def test_any_bytes_give_a_descriptor_or_decode_error(blob: bytes) -> None:
    for tail in (blob, b"\1\0\4\x80" + blob, b"\1\0\x14\x80" + bytes(8) + b"\x14\0\0\0\x14\0\0\0" + blob):
        try:
            sd = SecurityDescriptor.unpack(tail)
        except DecodeError:
            continue
        assert SecurityDescriptor.unpack(sd.pack()) == sd
        evaluate(sd, TOKEN)


@given(descriptors, st.data())
def test_damaged_descriptors_give_a_value_or_decode_error(
    sd: SecurityDescriptor, draw: st.DataObject
) -> None:
    packed = bytearray(sd.pack())
    at = draw.draw(st.integers(0, len(packed) - 1))
    packed[at] = draw.draw(st.integers(0, 255))
    try:
        damaged = SecurityDescriptor.unpack(bytes(packed))
    except DecodeError:
        return
    assert SecurityDescriptor.unpack(damaged.pack()) == damaged


@given(st.text(max_size=200) | st.text('OGDSAUP:;()S-15WDBRX{}@,"=&|!01 ', max_size=80))
def test_any_text_gives_a_descriptor_or_decode_error(text: str) -> None:
    for candidate in (text, f"D:({text}", f"D:(XA;;RP;;;WD;({text}))", f"S:(RA;;;;;WD;({text}))"):
        try:
            sd = sddl.parse(candidate)
        except DecodeError:
            continue
        assert sddl.parse(sddl.format(sd)) == sd


@given(st.binary(max_size=100))
def test_any_condition_is_decided(tail: bytes) -> None:
    blob = conditions.SIGNATURE + tail
    assert claims.evaluate(blob, TOKEN, None) in (True, False, None)
    try:
        sddl_conditions.format_condition(blob, str)
    except DecodeError:
        pass
    try:
        conditions.unpack_resource_attribute(tail)
    except DecodeError:
        pass


@given(dacls, guids, guids, st.sampled_from((0x10, 0x20, 0x100, 0x8, 0x1)))
def test_grants_follow_the_first_matching_entry(
    dacl: Acl | None, guid: bytes | None, in_set: bytes | None, right: int
) -> None:
    if dacl is None or guid is None:
        return
    expected = False
    for ace in dacl.aces:
        if ace.flags & 8 or not ace.mask & right or ace.sid not in TOKEN.sids:
            continue
        if ace.object_type is not None and ace.object_type not in (guid, in_set):
            continue
        if ace.type in (9, 11):
            continue  # data that is no condition: an allow entry does not apply
        expected = ace.is_allow
        break
    sd = SecurityDescriptor(int(Control.SR | Control.DP), None, None, None, dacl)
    found = evaluate(sd, TOKEN)
    assert found.allows(right, guid, in_set) == expected
    if found.uniform_read:
        assert found.allows(AccessMask.RIGHT_DS_READ_PROPERTY, guid, in_set)


@given(descriptors, descriptors, guids)
def test_creation_is_stable_and_leaves_generic_rights_to_those_below_alone(
    parent: SecurityDescriptor, creator: SecurityDescriptor, guid: bytes | None
) -> None:
    types = () if guid is None else (guid,)
    made = create_sd(parent, creator, SYSTEM, types)
    assert made.dacl is not None
    assert not any(ace.mask & 0xF000_0000 and not ace.flags & INHERIT_ONLY for ace in made.dacl.aces)
    again = create_sd(parent, made, SYSTEM, types)
    assert again.dacl == made.dacl or made.control & Control.PD
    assert standardize(made.dacl.aces) == made.dacl.aces


@given(
    st.sampled_from(sorted(krb_keys.ETYPES)),
    st.binary(max_size=200),
    st.integers(0, 0xFFFF_FFFF),
    st.integers(0, 255),
)
def test_encryption_opens_again(etype: int, plain: bytes, usage: int, fill: int) -> None:
    info = krb_keys.ETYPES[etype]
    key = krb_keys.Key(etype, bytes((fill,)) * info.key_size)
    cipher = krb_keys.encrypt(key, usage, plain, bytes((fill,)) * info.confounder_size)
    assert krb_keys.decrypt(key, usage, cipher) == plain


@given(st.sampled_from(sorted(krb_keys.ETYPES)), st.binary(max_size=100))
def test_any_bytes_do_not_open(etype: int, blob: bytes) -> None:
    key = krb_keys.Key(etype, bytes(krb_keys.ETYPES[etype].key_size))
    try:
        krb_keys.decrypt(key, 1, blob)
    except DecodeError:
        return
    raise AssertionError("forged")
