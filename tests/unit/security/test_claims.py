"""Conditional expressions: true, false and unknown."""

import pytest

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.security import claims, conditions, sddl, sddl_conditions
from addc.security.conditions import Item
from addc.security.token import Claim, Claims, build_token

DOMAIN = Sid.parse("S-1-5-21-1-2-3")
TOKEN = build_token(
    DOMAIN.child(1105),
    [DOMAIN.child(513)],
    claims=Claims(
        user=(
            Claim("Title", ("Manager",)),
            Claim("Level", (5,)),
            Claim("Groups", ("red", "green")),
            Claim("Zero", (0,)),
            Claim("Empty", ("",)),
            Claim("Smart", (True,)),
            Claim("Code", (b"\x01\x02",)),
            Claim("Exact", ("Manager",), True),
            Claim("Who", (DOMAIN.child(7),)),
        ),
        device=(Claim("Managed", (1,)),),
        local=(Claim("Simple", ("x",)),),
        device_sids=frozenset((DOMAIN.child(515),)),
    ),
)
SACL = sddl.parse(
    'S:(RA;;;;;WD;("Project",TS,0x0,"Red","Blue"))(RA;;;;;WD;("Need",TI,0x0,4))(RA;CIIO;;;;WD;("Later",TI,0,1))'
).sacl


def holds(text: str) -> bool | None:
    def sid(name: str) -> Sid:
        return sddl.parse_sid(name, DOMAIN)

    return claims.evaluate(sddl_conditions.parse_condition(f"({text})", sid), TOKEN, SACL)


@pytest.mark.parametrize(
    "text",
    [
        '@User.Title == "manager"',
        '@user.TITLE == "Manager"',
        '@User.Title != "Clerk"',
        '@User.Exact == "Manager"',
        "@User.Level > 4",
        "@User.Level >= 5",
        "@User.Level < 0x6",
        "@User.Level <= 05",
        "@User.Level != -5",
        "@User.Level >= @Resource.Need",
        '@User.Title > "Man"',
        "@User.Code == #0102",
        "@User.Code < #0103",
        "@User.Who == SID(S-1-5-21-1-2-3-7)",
        "@User.Smart == 1",
        "@User.Smart != 0",
        '@User.Groups == {"green", "RED"}',
        '@User.Groups Contains "red"',
        '@User.Groups Contains {"red", "green"}',
        '@User.Groups Not_Contains {"red", "blue"}',
        '@User.Groups Any_of {"blue", "green"}',
        '@User.Groups Not_Any_of {"blue"}',
        "@User.Groups Any_of @Resource.Project",
        "Exists @User.Title",
        "Not_Exists @User.Absent",
        "Exists @Resource.Project",
        "Not_Exists @Resource.Later",
        'Simple == "X"',
        "@User.Title",
        "@User.Level && @User.Title",
        "!@User.Zero",
        "!@User.Empty",
        "Member_of {SID(DU), SID(AU)}",
        "Member_of SID(DU)",
        "Member_of_Any {SID(DA), SID(DU)}",
        "Not_Member_of {SID(DA), SID(DU)}",
        "Not_Member_of_Any {SID(DA)}",
        "Device_Member_of {SID(DC)}",
        "Device_Member_of_Any {SID(DC), SID(DU)}",
        "Not_Device_Member_of {SID(DU)}",
        "Not_Device_Member_of_Any {SID(DU)}",
        "@User.Absent == 1 || @Device.Managed == 1",
        "!(@User.Absent == 1 && @User.Level == 4)",
        "@User.Level == 4 || @User.Level == 5 && @Device.Managed == 1",
    ],
)
def test_true(text: str) -> None:
    assert holds(text) is True


@pytest.mark.parametrize(
    "text",
    [
        '@User.Title == "Clerk"',
        '@User.Exact == "manager"',
        "@User.Level > 5",
        "@User.Level < +5",
        '@User.Groups == "red"',
        '@User.Groups Contains "blue"',
        '@User.Groups Any_of {"blue"}',
        "@User.Smart == 0",
        "Exists @User.Absent",
        "Not_Exists @User.Title",
        "Member_of {SID(DA)}",
        "Member_of {SID(DU), SID(DA)}",
        "Device_Member_of {SID(DU)}",
        "Not_Member_of {SID(DU)}",
        "@User.Zero",
        "@User.Absent == 1 && @User.Level == 4",
        "!(@User.Level == 5)",
    ],
)
def test_false(text: str) -> None:
    assert holds(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "@User.Absent == 1",
        "@User.Absent",
        "!@User.Absent",
        "@User.Absent == 1 && @User.Level == 5",
        "@User.Absent == 1 || @User.Level == 4",
        "@User.Title == 5",
        '@User.Level == "5"',
        "@User.Smart == 2",
        "@User.Smart < 1",
        '@User.Groups < "x"',
        "@User.Groups",
        "@User.Title == @Resource.Absent",
        "@User.Code",
        "@User.Title == 5 || @User.Level == 5",
        "@Resource.Later == 1",
        "@User.Who < SID(BA)",
    ],
)
def test_unknown(text: str) -> None:
    assert holds(text) is None


def test_broken_expressions_are_unknown() -> None:
    good = conditions.SIGNATURE + conditions.pack_item(Item(conditions.USER_ATTRIBUTE, "Level"))
    assert claims.evaluate(good, TOKEN, None) is True
    literal = conditions.pack_item(Item(conditions.INT64, 1))
    for data in (
        b"",
        b"artx",
        b"junk" + good[4:],
        good[:-1],
        good + good[4:],
        good + b"\x80",
        good + b"\xa0",
        good + b"\x77",
        conditions.SIGNATURE + literal,
        conditions.SIGNATURE + literal + b"\xa2",
        conditions.SIGNATURE + literal + literal + b"\x80",
        conditions.SIGNATURE + literal + b"\x87",
        conditions.SIGNATURE + literal + b"\x89",
        good + b"\xa2" + literal + b"\x80",
        conditions.SIGNATURE + literal[:-1] + b"\x09",
        conditions.SIGNATURE + b"\x50\x01\0\0\0\x80",
        conditions.SIGNATURE + b"\x50\x05\0\0\0\x50\0\0\0\0",
        conditions.SIGNATURE + b"\xa2" * (conditions.TOKENS_MAX + 1),
    ):
        assert claims.evaluate(data, TOKEN, None) is None


def test_the_sign_byte_rules_over_the_number() -> None:
    minus = Item(conditions.INT8, 5, (), conditions.SIGN_MINUS, conditions.BASE_10)
    data = conditions.SIGNATURE + conditions.pack_item(Item(conditions.USER_ATTRIBUTE, "Level"))
    data += conditions.pack_item(minus) + bytes((conditions.GREATER,))
    assert claims.evaluate(data, TOKEN, None) is True
    assert conditions.unpack_condition(data)[1].value == -5


def test_malformed_resource_attributes_do_not_count() -> None:
    good = conditions.ResourceAttribute("N", conditions.TYPE_STRING, 2, ("v",)).pack()
    attribute = conditions.unpack_resource_attribute(good)
    assert attribute.claim() == Claim("N", ("v",), True)
    for data in (
        b"",
        good[:15],
        good[:-2],
        good[:4] + b"\x77" + good[5:],
        good[:12] + b"\xff\xff" + good[14:],
    ):
        with pytest.raises(DecodeError):
            conditions.unpack_resource_attribute(data)
    sid_text = conditions.ResourceAttribute(
        "S", conditions.TYPE_SID, 0, ("S-1-1-0".encode("utf-16-le"),)
    ).pack()
    assert conditions.unpack_resource_attribute(sid_text).values == (Sid.parse("S-1-1-0"),)
