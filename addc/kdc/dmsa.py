"""Delegated managed service accounts in the KDC: who is replaced is told by whom, and machines act for them.

A machine asks for a TGT in the account's name: S4U2Self for krbtgt, with the option of unconditional
delegation. The encrypted part of the reply carries the keys, with which the machine opens what is sent to
the service.

The documents give the two structures and say where they go. Not documented, and therefore so: the error that
comes with KERB-SUPERSEDED-BY-USER is the one of the disabled account that a replaced one is; the ticket names
the groups of the replaced account along with those of the account itself, since it is to reach all that the
former reached.

Spec: [MS-KILE] 2.2.13, 2.2.14, [MS-SFU] 2.2.2.
"""

from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.codec.krb5 import EncryptionKey, KerbDmsaKeyPackage, KerbSupersededByUser, PaData, PrincipalName
from addc.codec.krb5_numbers import NameType, PaType, S4uOptions
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Delegated, Impersonated, KdcRefusal, OpenedTgs, Principal, RealmFacts, TgsFacts
from addc.kdc.principal_names import is_tgs
from addc.kdc.s4u_self import impersonation
from addc.kdc.subject import Subject

_UNCONDITIONAL: Final = int(S4uOptions.UNCONDITIONAL_DELEGATION)
_NT_PRINCIPAL: Final = int(NameType.KRB_NT_PRINCIPAL)


def check_not_superseded(client: Principal, realm: RealmFacts) -> None:
    """An account that was replaced gets no ticket, but the name of who is to be asked for instead."""
    if client.successor is None:
        return
    heir = KerbSupersededByUser(PrincipalName(_NT_PRINCIPAL, (client.successor,)), realm.realm)
    told = PaData(int(PaType.KERB_SUPERSEDED_BY_USER), heir.pack())
    raise KdcRefusal(KrbErrorCode.KDC_ERR_CLIENT_REVOKED, NtStatus.STATUS_ACCOUNT_DISABLED, padata=(told,))


def is_asked(opened: OpenedTgs) -> bool:
    """Whether a machine asks to act as a delegated account."""
    wanted, sname = opened.for_user, opened.request.message.req_body.sname
    return (
        wanted is not None and bool(wanted.options & _UNCONDITIONAL) and sname is not None and is_tgs(sname)
    )


def acting(opened: OpenedTgs, facts: TgsFacts, now: FileTime) -> Subject:
    """The subject of a delegated account's TGT; KDC_ERR_POLICY for who may not act as it."""
    found, user = facts.delegated, facts.user
    if found is None or user is None or not found.allowed:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_ACCESS_DENIED)
    whole = Impersonated(user.principal, found.membership)
    subject = impersonation(opened, replace(facts, server=facts.client, user=whole), now)
    package = PaData(int(PaType.KERB_DMSA_KEY_PACKAGE), _key_package(found).pack())
    return replace(subject, encrypted_padata=(*subject.encrypted_padata, package))


def _key_package(found: Delegated) -> KerbDmsaKeyPackage:
    return KerbDmsaKeyPackage(
        current_keys=tuple(EncryptionKey(int(key.etype), key.value) for key in found.current),
        previous_keys=tuple(EncryptionKey(int(key.etype), key.value) for key in found.previous) or None,
        expiration_interval=found.expiry_ft,
        fetch_interval=found.fetch_ft,
    )
