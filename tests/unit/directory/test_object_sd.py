"""Descriptors that requesters send: what may be missing, what they may set, how it is refused.

Spec: [MS-ADTS] 6.1.3.3, 6.1.3.5, 6.1.3.7. Refusals of an Add are as Windows gives them.
"""

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import rights
from addc.directory.controls import RequestOptions
from addc.security import sddl, wellknown
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token
from tests.kit.corp import Corp, replace_values


def sd(corp: Corp, text: str) -> bytes:
    return sddl.parse(text, corp.forest.domain_sid, corp.forest.domain_sid).pack()


def of(corp: Corp, dn: str) -> SecurityDescriptor:
    return corp.read(lambda ctx: rights.descriptor(ctx, corp.row(dn)))


@pytest.fixture
def delegate(corp_sqlite: Corp) -> Token:
    """Somebody with full control below an OU, and no privilege."""
    corp = corp_sqlite
    corp.user("delegate")
    corp.add("OU=box", "organizationalUnit")
    aces = f"D:(A;;GA;;;DA)(A;CI;GA;;;{corp.sid('CN=delegate,CN=Users')})"
    options = RequestOptions(sd_flags=4)
    corp.modify("OU=box", replace_values("nTSecurityDescriptor", sd(corp, aces)), options=options)
    return corp.token("delegate")


def add(corp: Corp, who: Token, text: str) -> SecurityDescriptor:
    corp.add("CN=x,OU=box", "container", who, nTSecurityDescriptor=sd(corp, text))
    return of(corp, "CN=x,OU=box")


@pytest.mark.parametrize(
    ("text", "result", "code"),
    [
        ("O:BAD:(A;;GA;;;WD)", LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_INVALID_OWNER),
        ("D:(A;;GA;;;WD)S:(AU;SA;WP;;;WD)", LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_PRIVILEGE_NOT_HELD),
    ],
)
def test_what_a_creator_may_not_give(
    corp_sqlite: Corp, delegate: Token, text: str, result: LdapResult, code: Win32
) -> None:
    with pytest.raises(DsError) as caught:
        add(corp_sqlite, delegate, text)
    assert (caught.value.ldap_result, caught.value.code) == (result, code)


def test_what_a_creator_leaves_out(corp_sqlite: Corp, delegate: Token) -> None:
    """The owner is who creates, the lists are what is inherited."""
    made = add(corp_sqlite, delegate, "G:DU")
    assert made.owner == delegate.user
    assert made.dacl is not None and all(ace.flags & 0x10 for ace in made.dacl.aces)


def test_an_owner_that_is_not_named_has_a_default(corp_sqlite: Corp, delegate: Token) -> None:
    corp = corp_sqlite
    corp.add("CN=x,OU=box", "container", delegate)
    change = replace_values("nTSecurityDescriptor", sd(corp, "D:(A;;GA;;;AU)"))
    corp.modify("CN=x,OU=box", change, requester=delegate)
    assert of(corp, "CN=x,OU=box").owner == delegate.user
    corp.modify("CN=x,OU=box", change)
    administrators = corp.forest.domain_sid.child(wellknown.RID_DOMAIN_ADMINS)
    assert (of(corp, "CN=x,OU=box").owner, of(corp, "CN=x,OU=box").group) == (administrators,) * 2


def test_a_creator_needs_not_see_where_he_creates(corp_sqlite: Corp, delegate: Token) -> None:
    """Only the right to create counts, as it does on Windows; without it the parent is not there."""
    corp = corp_sqlite
    corp.add("OU=dark,OU=box", "organizationalUnit")
    corp.add("OU=shut,OU=dark,OU=box", "organizationalUnit")
    options = RequestOptions(sd_flags=4)
    hidden = sd(corp, "D:P(A;;GA;;;DA)")
    corp.modify("OU=dark,OU=box", replace_values("nTSecurityDescriptor", hidden), options=options)
    with pytest.raises(DsError) as caught:
        corp.add("CN=x,OU=shut,OU=dark,OU=box", "container", delegate)
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND
    create = sd(corp, f"D:P(A;;GA;;;DA)(A;;CC;;;{delegate.user})")
    corp.modify("OU=shut,OU=dark,OU=box", replace_values("nTSecurityDescriptor", create), options=options)
    corp.add("CN=x,OU=shut,OU=dark,OU=box", "container", delegate)
