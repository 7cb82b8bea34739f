"""SDDL both ways."""

import json
from pathlib import Path

import pytest

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.security import descriptor as d
from addc.security import sddl, wellknown
from addc.security.descriptor import Control, SecurityDescriptor
from addc.security.sddl_tables import DOMAIN_ALIASES, FIXED_ALIASES, FOREST_ALIASES

DATA = json.loads((Path(__file__).parents[2] / "vectors/MS-DTYP/sddl.json").read_text())
DOMAIN = Sid.parse(DATA["domain_sid"])
ROOT = Sid.parse(DATA["root_sid"])


@pytest.mark.parametrize("vector", DATA["vectors"], ids=lambda vector: vector["origin"])
def test_descriptors_of_schema_and_forest_survive(vector: dict[str, str]) -> None:
    sd = sddl.parse(vector["text"], DOMAIN, ROOT)
    assert SecurityDescriptor.unpack(sd.pack()) == sd
    assert sddl.parse(sddl.format(sd, DOMAIN, ROOT), DOMAIN, ROOT) == sd
    assert sddl.parse(sddl.format(sd)) == sd


@pytest.mark.parametrize("alias", sorted(FIXED_ALIASES | DOMAIN_ALIASES | FOREST_ALIASES))
def test_every_alias_prints_as_it_was_read(alias: str) -> None:
    sd = sddl.parse(f"O:{alias}G:{alias}D:(A;;RP;;;{alias})", DOMAIN, ROOT)
    assert sddl.format(sd, DOMAIN, ROOT) == f"O:{alias}G:{alias}D:(A;;RP;;;{alias})"
    assert sddl.parse_sid(alias.lower(), DOMAIN, ROOT) == sd.owner


def test_aliases_belong_to_their_domain() -> None:
    sd = sddl.parse("O:DAG:EA", DOMAIN, ROOT)
    assert sd.owner == DOMAIN.child(512) and sd.group == ROOT.child(519)
    assert sddl.format(sd, ROOT, ROOT) == f"O:{DOMAIN}-512G:EA"
    assert sddl.parse("G:EA", DOMAIN).group == DOMAIN.child(519)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("D:", "D:"),
        ("D:NO_ACCESS_CONTROL", "D:NO_ACCESS_CONTROL"),
        ("D:PNO_ACCESS_CONTROL", "D:PNO_ACCESS_CONTROL"),
        ("D:ARAIP", "D:PARAI"),
        ("O:S-1-5-21-1-2-3-500D:", "O:S-1-5-21-1-2-3-500D:"),
        ("D:(A;;0x1f01ff;;;WD)", "D:(A;;FA;;;WD)"),
        ("D:(A;;0X10;;;WD)(A;;16;;;WD)(A;;020;;;WD)", "D:(A;;RP;;;WD)(A;;RP;;;WD)(A;;RP;;;WD)"),
        ("D:(A;;0x100010;;;WD)", "D:(A;;0x100010;;;WD)"),
        ("D:(A;;;;;WD)", "D:(A;;;;;WD)"),
        ("D: (A;; RP WP ;;; WD ) (D;;rc;;;an)", "D:(A;;RPWP;;;WD)(D;;RC;;;AN)"),
        ("D:(A;CIOINPIOID;KR;;;S-1-1-0)", "D:(A;OICINPIOID;KR;;;WD)"),
        ("S:(AU;SAFA;GA;;;WD)(OU;CISA;WP;;;WD)", "S:(AU;SAFA;GA;;;WD)(OU;CISA;WP;;;WD)"),
        ("S:(ML;;NWNRNX;;;HI)", "S:(ML;;NWNRNX;;;HI)"),
        ("S:(SP;;;;;S-1-17-1234)", "S:(SP;;;;;S-1-17-1234)"),
        (
            "D:(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)",
            "D:(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)",
        ),
        (
            "D:(OD;CI;;;bf967aba-0de6-11d0-a285-00aa003049e2;WD)",
            "D:(OD;CI;;;bf967aba-0de6-11d0-a285-00aa003049e2;WD)",
        ),
        (
            'S:(RA;;;;;WD;("Project",TS,0x0,"Windows","SQL"))',
            'S:(RA;;;;;WD;("Project",TS,0x0,"Windows","SQL"))',
        ),
        ('S:(RA;;;;;WD;("n",TI,0x1,-5,+7))', 'S:(RA;;;;;WD;("n",TI,0x1,-5,7))'),
        (
            'S:(RA;;;;;WD;("n",TU,0x0,18446744073709551615))',
            'S:(RA;;;;;WD;("n",TU,0x0,18446744073709551615))',
        ),
        ('S:(RA;;;;;WD;("a%0020b",TB,0x20,1,0))', 'S:(RA;;;;;WD;("a%0020b",TB,0x20,1,0))'),
        ('S:(RA;;;;;WD;("n",TX,0x0,#0aff))', 'S:(RA;;;;;WD;("n",TX,0x0,0aff))'),
        ('S:(RA;;;;;WD;("n",TD,0x0,SID(BA),S-1-1-0))', 'S:(RA;;;;;WD;("n",TD,0x0,BA,WD))'),
        ('D:(XA;;RP;;;WD;(Title=="VP"))', 'D:(XA;;RP;;;WD;(Title == "VP"))'),
        (
            "D:(ZA;;RP;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD;"
            '((@User.a==1||@Device.b!=0x1F)&&!(c Any_of{"(x;",+2})))',
            "D:(ZA;;RP;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD;"
            '((@User.a == 1 || @Device.b != 0x1f) && !(c Any_of {"(x;", +2})))',
        ),
        (
            "D:(XD;;GX;;;WD;(a < -010 || b>=5 && (Exists c && Not_Member_of_Any{SID(BA),SID(S-1-1-0)})))",
            "D:(XD;;GX;;;WD;(a < -010 || b >= 5 && (Exists c && Not_Member_of_Any {SID(BA), SID(WD)})))",
        ),
        ("S:(XU;SA;GA;;;WD;(@Resource.x Contains #0a0b))", "S:(XU;SA;GA;;;WD;(@Resource.x Contains #0a0b))"),
    ],
)
def test_texts_print_in_one_form_and_read_back(text: str, printed: str) -> None:
    sd = sddl.parse(text, DOMAIN, ROOT)
    assert sddl.format(sd, DOMAIN, ROOT) == printed
    assert sddl.parse(printed, DOMAIN, ROOT) == sd
    assert SecurityDescriptor.unpack(sd.pack()) == sd


def test_null_dacl_is_present() -> None:
    sd = sddl.parse("D:NO_ACCESS_CONTROL")
    assert sd.dacl is None and sd.control & Control.DP


def test_revision_follows_the_entries() -> None:
    plain = sddl.parse("D:(A;;RP;;;WD)").dacl
    with_object = sddl.parse("D:(OA;;RP;;;WD)").dacl
    assert plain is not None and plain.revision == d.ACL_REVISION
    assert with_object is not None and with_object.revision == d.ACL_REVISION_DS


# [MS-DTYP] 2.4.4.17.9, example 1
TITLE_IS_VP = bytes.fromhex("61727478f80a0000005400690074006c00650010040000005600500080000000")


def test_the_published_condition_has_its_published_bytes() -> None:
    dacl = sddl.parse('D:(XA;;RP;;;WD;(Title=="VP"))').dacl
    assert dacl is not None and dacl.aces[0].data == TITLE_IS_VP


@pytest.mark.parametrize(
    "text",
    [
        "X:",
        "O:",
        "O:ZZ",
        "O:DA",
        "O:SYO:SY",
        "D:(A;;RP;;;WD",
        "D:(A;;RP;;WD)",
        "D:(Q;;RP;;;WD)",
        "D:(A;ZZ;RP;;;WD)",
        "D:(A;C;RP;;;WD)",
        "D:(A;;ZZ;;;WD)",
        "D:(A;;R;;;WD)",
        "D:(A;;08;;;WD)",
        "D:(A;;RP;;;)",
        "D:(A;;RP;;;S-1-)",
        "D:(A;;RP;;;S-1-5-21-99999999999)",
        "D:(OA;;RP;notaguid;;WD)",
        "D:(A;;RP;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)",
        "D:(A;;RP;;;WD;(x))",
        "D:(XA;;RP;;;WD)",
        "D:(XA;;RP;;;WD;)",
        "D:(XA;;RP;;;WD;())",
        "D:(XA;;RP;;;WD;(a ==))",
        "D:(XA;;RP;;;WD;(a == 1) x)",
        "D:(XA;;RP;;;WD;(Member_of {1}))",
        "D:(XA;;RP;;;WD;(Exists 1 ==))",
        "D:(XA;;RP;;;WD;(a == 99999999999999999999))",
        "D:(XA;;RP;;;WD;(a == 09))",
        "D:(XA;;RP;;;WD;(a == {1 2}))",
        f"D:(XA;;RP;;;WD;({'(' * 100}a == 1{')' * 100}))",
        f"D:(XA;;RP;;;WD;({'!' * 1000}a))",
        "S:(RA;;;;;WD)",
        'S:(RA;;;;;WD;("",TS,0))',
        'S:(RA;;;;;WD;("n",TQ,0))',
        'S:(RA;;;;;WD;("n",TB,0,2))',
        'S:(RA;;;;;WD;("n",TU,0,-1))',
        'S:(RA;;;;;WD;("n",TS,0,1))',
        "D:NO_ACCESS_CONTROL(A;;RP;;;WD)",
        "D:(A;;RP;;;WD)junk",
    ],
)
def test_malformed_texts_are_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        sddl.parse(text)


def test_entries_without_a_text_form_are_refused() -> None:
    sd = SecurityDescriptor(4, dacl=d.Acl(2, (d.Ace(0x55, 0, 0, wellknown.NULL, data=b"1234"),)))
    with pytest.raises(DecodeError):
        sddl.format(sd)
    sd = SecurityDescriptor(4, dacl=d.Acl(2, (d.Ace(9, 0, 0, wellknown.EVERYONE, data=b"1234"),)))
    with pytest.raises(DecodeError):
        sddl.format(sd)
