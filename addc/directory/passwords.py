"""Passwords of accounts: key sets, the rules for setting and changing them, and their verification.

Slow key derivation happens in `derive` (called by prepare_add and modify.prepare_modify on a thread, before
the writer is entered); the writer only checks that the salt still fits, and derives again if it does not.

unicodePwd holds the NT hash, ntPwdHistory NT hashes newest first, supplementalCredentials the AES keys of the
present and the two previous passwords; the store seals all three. No LM hashes are kept.

Spec: [MS-SAMR] 3.1.1.7, 3.1.1.8.5, 3.1.1.8.7, 3.1.1.8.11, 3.1.1.9.1, [MS-ADTS] 3.1.1.3.1.5,
[MS-KILE] 3.1.1.2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec import blobs
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import accounts, entry, policy, rights, sam_rules
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.password_policy import (
    PASSWORD_LENGTH_MAX,
    PasswordPolicy,
    PwdProperties,
    domain_policy,
    effective_policy,
    is_of_person,
    keeps_history,
    weakness,
)
from addc.directory.stamp import save
from addc.schema import attr
from addc.schema.wellknown import MANAGED_ACCOUNT_CLASSES, ExtendedRight
from addc.security import enctypes, wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import ETYPES, NT_HASH_OF_EMPTY, Etype, Key, aes_sha1_keys, nt_hash, string_to_key
from addc.store.objects import ObjectRow

SHA2_ETYPES: Final = (Etype.AES256_CTS_HMAC_SHA384_192, Etype.AES128_CTS_HMAC_SHA256_128)
"""Derived only for accounts whose msDS-SupportedEncryptionTypes names them: eight times the iterations."""

FORMER_PASSWORD_S: Final = 3600
"""How long the previous password stays good for NTLM and simple binds."""
_HASH_SIZE: Final = 16
_KRBTGT_HISTORY_MIN: Final = 3
_QUOTE: Final = b'"\0'
_RANDOM_PASSWORD_SIZE: Final = 240

TOO_LONG: Final = "the password is too long"
TOO_YOUNG: Final = "the password is too young to be changed"
USED_BEFORE: Final = "the password was used before"
NOT_VETTED: Final = "the filter of passwords has not let it pass"
"""Details of `restriction`, besides those of password_policy.weakness."""


class WrongPasswordError(DsError):
    """A change that brought a wrong old password: a guess, to be counted, be it a former one or not.

    account: its row.
    Spec: [MS-SAMR] 3.1.5.14.6.
    """

    def __init__(self, account: Dnt) -> None:
        super().__init__(
            Win32.ERROR_INVALID_PASSWORD,
            "the old password is wrong",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="unicodePwd",
        )
        self.account = account


@dataclass(frozen=True, slots=True)
class PreparedPassword:
    """A password with everything that is slow to compute from it.

    password: UTF-16LE. salt: what the AES keys were derived with.
    account, full_name: whose it is to be; account is "" where no policy binds it.
    vetted: the operator's filter let it pass.
    """

    password: Secret
    salt: bytes
    nt_hash: Secret
    keys: tuple[Key, ...]
    account: str = ""
    full_name: str = ""
    vetted: bool = False

    @property
    def has_sha2(self) -> bool:
        return any(key.etype in SHA2_ETYPES for key in self.keys)


@dataclass(frozen=True, slots=True)
class KeyGeneration:
    """The keys of one password of an account. kvno: key version number; keys: strongest first, RC4 last."""

    kvno: int
    keys: tuple[Key, ...]

    def key(self, etype: int) -> Key | None:
        for one in self.keys:
            if one.etype == etype:
                return one
        return None


@dataclass(frozen=True, slots=True)
class KeySet:
    """All keys of an account. old, older: of the previous passwords, None where there was none.

    salt: of the present AES keys, b"" where there are none.
    """

    salt: bytes
    current: KeyGeneration
    old: KeyGeneration | None
    older: KeyGeneration | None

    @property
    def kvno(self) -> int:
        return self.current.kvno

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.current.keys

    def key(self, etype: int, kvno: int | None = None) -> Key | None:
        """The key of an encryption type; kvno None is the present password's."""
        for generation in self.generations():
            if kvno is None or generation.kvno == kvno:
                return generation.key(etype)
        return None

    def generations(self) -> tuple[KeyGeneration, ...]:
        """Present, previous, the one before."""
        return tuple(one for one in (self.current, self.old, self.older) if one is not None)

    def nt_hash(self) -> bytes | None:
        """The NT hash of the present password; the RC4 key is the same bytes."""
        found = self.current.key(Etype.RC4_HMAC)
        return None if found is None else found.value


# --- deriving ----------------------------------------------------------------------------------------------


def salt_for(
    realm: str, sam_account_name: str, is_computer: bool, is_trust: bool = False, *, upn: str | None = None
) -> bytes:
    """The salt of an account's AES keys; is_trust: an interdomain trust account.

    upn: a person's salt is made of it, whatever suffix it has; a name like a service's loses its slashes.
    Spec: [MS-KILE] 3.1.1.2.
    """
    if is_trust:
        return f"{realm.upper()}krbtgt{sam_account_name.removesuffix('$')}".encode()
    if not is_computer:
        name = upn.rpartition("@")[0] or upn if upn else ""
        return (realm.upper() + (name.replace("/", "") or sam_account_name)).encode()
    host = sam_account_name.removesuffix("$").lower()
    return f"{realm.upper()}host{host}.{realm.lower()}".encode()


def wants_sha2(supported_enctypes: int) -> bool:
    """Whether an account's msDS-SupportedEncryptionTypes asks for the keys of RFC 8009."""
    return bool(supported_enctypes & enctypes.AES_SHA2)


def derive(password: Secret, salt: bytes, *, sha2: bool = False) -> PreparedPassword:
    """Everything that is stored of a password (UTF-16LE): 2 ms, 25 ms with SHA-2; not for the event loop.

    RC4's key is the NT hash.
    """
    keys: tuple[Key, ...] = aes_sha1_keys(password, salt)
    if sha2:
        keys += tuple(string_to_key(etype, password, salt) for etype in SHA2_ETYPES)
    return PreparedPassword(password, salt, Secret(nt_hash(password)), keys)


def password_of_text(text: str) -> Secret:
    """The UTF-16LE form that everything here takes."""
    return Secret(text.encode("utf-16-le", "surrogatepass"))


def password_of_utf8(value: Secret) -> Secret:
    """The UTF-16LE form of a password that came as UTF-8, as in a simple bind; odd bytes become U+FFFD."""
    return password_of_text(value.reveal().decode("utf-8", "replace"))


def decode_unicode_pwd(value: bytes, *, change: bool = False) -> Secret:
    """The password in a unicodePwd value: UTF-16LE in quotation marks.

    Deviation: in a reset, what is not quoted is answered as DCs answer it, not with the pair of the document.
    Spec: [MS-ADTS] 3.1.1.3.1.5.1.
    """
    if len(value) < 4 or len(value) % 2 or value[:2] != _QUOTE or value[-2:] != _QUOTE:
        raise DsError(
            Win32.ERROR_DS_UNICODEPWD_NOT_IN_QUOTES if change else Win32.ERROR_GEN_FAILURE,
            "unicodePwd must be quoted UTF-16",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION if change else LdapResult.UNWILLING_TO_PERFORM,
            attribute="unicodePwd",
        )
    return Secret(value[2:-2])


def prepare_add(
    ctx: ReadContext, attributes: Sequence[tuple[str, Sequence[bytes]]]
) -> PreparedPassword | None:
    """Derive the keys of a password that an Add brings; None where it brings none that is well formed."""
    given = {name.lower(): values for name, values in attributes}
    names_given = given.get("samaccountname", ())
    if len(names_given) != 1:
        return None
    password = _added_password(ctx, given)
    if password is None:
        return None
    classes = {one.lower() for one in given.get("objectclass", ())}
    is_computer = not classes.isdisjoint(_COMPUTER_CLASSES)
    enctypes = given.get("msds-supportedencryptiontypes", ())
    sha2 = len(enctypes) == 1 and enctypes[0].isdigit() and wants_sha2(int(enctypes[0][:10]))
    account = names_given[0].decode("utf-8", "replace")
    full_name = b"".join(given.get("displayname", ())).decode("utf-8", "replace")
    upn = b"".join(given.get("userprincipalname", ())).decode("utf-8", "replace")
    prepared = derive(password, salt_for(ctx.forest.realm, account, is_computer, upn=upn), sha2=sha2)
    return replace(prepared, account="" if is_computer else account, full_name=full_name)


def _added_password(ctx: ReadContext, given: Mapping[str, Sequence[bytes]]) -> Secret | None:
    values = given.get("unicodepwd", ())
    if len(values) == 1:
        try:
            return decode_unicode_pwd(values[0])
        except DsError:
            return None
    plain = given.get("userpassword", ())
    return password_of_utf8(Secret(plain[-1])) if plain and heeds_user_password(ctx) else None


_COMPUTER_CLASSES: Final = frozenset(
    (b"computer", b"msds-managedserviceaccount", b"msds-groupmanagedserviceaccount")
)


def prepare_row(ctx: ReadContext, row: ObjectRow, password: Secret) -> PreparedPassword:
    """Derive the keys of a new password (UTF-16LE) for an existing account."""
    name = entry.text(row, attr.SAM_ACCOUNT_NAME) or ""
    sha2 = wants_sha2(entry.integer(row, attr.MS_DS_SUPPORTED_ENCRYPTION_TYPES))
    is_trust = bool(
        entry.integer(row, attr.USER_ACCOUNT_CONTROL) & UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
    )
    upn = entry.text(row, attr.USER_PRINCIPAL_NAME)
    salt = salt_for(ctx.forest.realm, name, entry.is_a(row, b"computer"), is_trust, upn=upn)
    full_name = entry.text(row, attr.DISPLAY_NAME) or ""
    rid = int.from_bytes(row.sid[-4:], "little") if row.sid else 0
    bound = is_of_person(entry.integer(row, attr.USER_ACCOUNT_CONTROL), rid)
    return replace(derive(password, salt, sha2=sha2), account=name if bound else "", full_name=full_name)


# --- reading -----------------------------------------------------------------------------------------------


def keys_of(ctx: ReadContext, row: ObjectRow) -> KeySet:
    """The key set of an account as of this version of its row."""
    return accounts.kept(ctx, "keys", row, lambda: _read_keys(row))


def key_version(row: ObjectRow) -> int:
    """msDS-KeyVersionNumber: the version of unicodePwd. Spec: [MS-ADTS] 3.1.1.4.5.16."""
    stamp = row.meta.get(attr.UNICODE_PWD)
    return 1 if stamp is None else stamp.version


def _read_keys(row: ObjectRow) -> KeySet:
    kvno = key_version(row)
    stored = stored_keys(entry.first(row, attr.SUPPLEMENTAL_CREDENTIALS))
    current = entry.first(row, attr.UNICODE_PWD)
    history = entry.first(row, attr.NT_PWD_HISTORY) or b""
    hashes = [history[at : at + _HASH_SIZE] for at in range(0, len(history), _HASH_SIZE)]
    old_hashes: list[bytes | None] = [*hashes[1:3], None, None]
    if stored is None:
        rc4 = (Key(Etype.RC4_HMAC, current),) if current else ()
        return KeySet(b"", KeyGeneration(kvno, rc4), _old(kvno - 1, (), old_hashes[0]), None)
    return KeySet(
        stored.default_salt,
        KeyGeneration(kvno, _keys(stored.credentials, current)),
        _old(kvno - 1, stored.old_credentials, old_hashes[0]),
        _old(kvno - 2, stored.older_credentials, old_hashes[1]),
    )


def _old(kvno: int, credentials: Sequence[blobs.KerbKeyDataNew], rc4: bytes | None) -> KeyGeneration | None:
    keys = _keys(credentials, rc4)
    return KeyGeneration(kvno, keys) if keys and kvno > 0 else None


def _keys(credentials: Sequence[blobs.KerbKeyDataNew], rc4: bytes | None) -> tuple[Key, ...]:
    found = [Key(one.key_type, one.key) for one in credentials if one.key_type in ETYPES]
    if rc4:
        found.append(Key(Etype.RC4_HMAC, rc4))
    return tuple(found)


def stored_keys(supplemental: bytes | None) -> blobs.KerbStoredCredentialNew | None:
    """Primary:Kerberos-Newer-Keys of a supplementalCredentials value."""
    if supplemental is None:
        return None
    try:
        properties = blobs.UserProperties.unpack(supplemental)
        value = properties.get(blobs.KERBEROS_NEWER_KEYS)
        return None if value is None else blobs.KerbStoredCredentialNew.unpack(value)
    except DecodeError:
        return None


def is_former(ctx: ReadContext, row: ObjectRow, nt_hash_fits: Callable[[bytes], bool]) -> bool:
    """Whether a proof by the password before the present one still lets a person in: an hour long.

    So do DCs with NTLM and simple binds, but not with Kerberos: services and mail clients that hold the old
    password need not lock the account out (OldPasswordAllowedPeriod, Microsoft KB 906305).
    """
    history = entry.first(row, attr.NT_PWD_HISTORY) or b""
    former = history[_HASH_SIZE : 2 * _HASH_SIZE]
    last_set = entry.integer(row, attr.PWD_LAST_SET)
    is_recent = last_set <= ctx.now < last_set + FORMER_PASSWORD_S * TICKS_PER_S
    return is_recent and len(former) == _HASH_SIZE and nt_hash_fits(former)


def former_hashes(row: ObjectRow) -> tuple[bytes, ...]:
    """NT hashes of the two passwords before the present one, newest first."""
    history = entry.first(row, attr.NT_PWD_HISTORY) or b""
    found = [history[at : at + _HASH_SIZE] for at in (_HASH_SIZE, 2 * _HASH_SIZE)]
    return tuple(one for one in found if len(one) == _HASH_SIZE)


def password_must_change(ctx: ReadContext, row: ObjectRow) -> int:
    """When the password expires, FILETIME; 0 now, NEVER_FT never. Spec: [MS-SAMR] 3.1.5.14.4."""
    uac = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
    exempt = (
        UserAccountControl.UF_DONT_EXPIRE_PASSWD
        | UserAccountControl.UF_SMARTCARD_REQUIRED
        | UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
        | UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT
        | UserAccountControl.UF_SERVER_TRUST_ACCOUNT
    )
    last_set = entry.integer(row, attr.PWD_LAST_SET)
    if uac & exempt:
        return 0x7FFF_FFFF_FFFF_FFFF
    if last_set == 0:
        return 0
    age = effective_policy(ctx, row).maximum_age
    return last_set + age if age else 0x7FFF_FFFF_FFFF_FFFF


# --- writing -----------------------------------------------------------------------------------------------


def restriction(detail: str, *, change: bool) -> DsError:
    """The refusal of a password by policy: a reset is answered unwillingToPerform, as DCs do."""
    return DsError(
        Win32.ERROR_PASSWORD_RESTRICTION,
        detail,
        ldap_result=LdapResult.CONSTRAINT_VIOLATION if change else LdapResult.UNWILLING_TO_PERFORM,
        attribute="unicodePwd",
    )


def _check_age(ctx: WriteContext, draft: Draft, rules: PasswordPolicy, change: bool) -> None:
    """A password that was just set stays for a while: looked at before the new one is.

    Spec: [MS-SAMR] 3.1.1.7.1.
    """
    if not draft.integer_before(attr.USER_ACCOUNT_CONTROL) & UserAccountControl.UF_NORMAL_ACCOUNT:
        return
    last_set = draft.integer_before(attr.PWD_LAST_SET)
    if rules.minimum_age and last_set and _has_password(draft) and ctx.now < last_set + rules.minimum_age:
        raise restriction(TOO_YOUNG, change=change)


def _check_history(draft: Draft, new: bytes, rules: PasswordPolicy, change: bool) -> None:
    """A password of the past stays there. Spec: [MS-SAMR] 3.1.1.7.1."""
    uac = draft.integer_before(attr.USER_ACCOUNT_CONTROL)
    if uac & UserAccountControl.UF_NORMAL_ACCOUNT and keeps_history(uac, draft.rid()):
        if _was_used(draft, new, rules):
            raise restriction(USED_BEFORE, change=change)


def _has_password(draft: Draft) -> bool:
    return draft.before.get(attr.UNICODE_PWD, (NT_HASH_OF_EMPTY,)) != (NT_HASH_OF_EMPTY,)


def _was_used(draft: Draft, new: bytes, rules: PasswordPolicy) -> bool:
    """Whether it is one of the last ones; the present one is, even if no history was kept so far.

    Spec: [MS-SAMR] 3.1.1.7.1 (Password History Length).
    """
    history = draft.first(attr.NT_PWD_HISTORY) or draft.first(attr.UNICODE_PWD) or b""
    history = history[: rules.history_length * _HASH_SIZE]
    return any(history[at : at + _HASH_SIZE] == new for at in range(0, len(history), _HASH_SIZE))


def _check_policy(
    ctx: WriteContext, draft: Draft, prepared: PreparedPassword, rules: PasswordPolicy, change: bool
) -> None:
    """Length, complexity and the operator's filter. Spec: [MS-SAMR] 3.1.1.7.2."""
    if len(prepared.password.reveal()) // 2 > PASSWORD_LENGTH_MAX:
        raise restriction(TOO_LONG, change=change)
    uac = draft.integer(attr.USER_ACCOUNT_CONTROL)
    if ctx.unrestricted or _is_krbtgt(draft) or not is_of_person(uac, draft.rid()):
        return
    if uac & UserAccountControl.UF_PASSWD_NOTREQD and not prepared.password.reveal():
        return
    text = prepared.password.reveal().decode("utf-16-le", "replace")
    why = weakness(rules, text, draft.text(attr.SAM_ACCOUNT_NAME), draft.text(attr.DISPLAY_NAME))
    if why:
        raise restriction(why, change=change)
    if ctx.shared.vets_passwords and not prepared.vetted:
        raise restriction(NOT_VETTED, change=change)


def _check_settable(ctx: WriteContext, draft: Draft, change: bool) -> None:
    """Passwords that nobody sets by hand: those of trusts, and those that the DC makes itself.

    Spec: [MS-SAMR] 3.1.1.8.5, 3.1.1.8.10.
    """
    trust = draft.integer(attr.USER_ACCOUNT_CONTROL) & UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
    if not ctx.unrestricted and (trust or draft.plan.structural.class_id in MANAGED_ACCOUNT_CLASSES):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "this password is not set by hand", attribute="unicodePwd")
    if not change:
        return
    if _is_krbtgt(draft) and not draft.is_new:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "krbtgt's password is not for changing")
    if domain_policy(ctx).properties & PwdProperties.DOMAIN_PASSWORD_NO_CLEAR_CHANGE:
        raise restriction("passwords are not changed in clear text here", change=True)


def store_password(
    ctx: WriteContext, draft: Draft, prepared: PreparedPassword, *, change: bool, policy_hints: bool = False
) -> None:
    """Put a new password into a draft: policy, hashes, keys, history, pwdLastSet.

    change: by someone who proved to know the old one; else a reset.
    policy_hints: a reset that asks for the rules of a change (LDAP_SERVER_POLICY_HINTS_OID).
    Spec: [MS-SAMR] 3.1.1.8.5, 3.1.1.8.7.
    """
    _check_settable(ctx, draft, change)
    rules = effective_policy(ctx, draft.row)
    if change or policy_hints:
        _check_age(ctx, draft, rules, change)
    prepared = _ready(ctx, draft, prepared)
    _check_policy(ctx, draft, prepared, rules, change)
    if change or policy_hints:
        _check_history(draft, prepared.nt_hash.reveal(), rules, change)
    _write_history(draft, prepared.nt_hash.reveal(), rules)
    draft.put(attr.UNICODE_PWD, prepared.nt_hash.reveal())
    draft.rewritten.add(
        attr.UNICODE_PWD
    )  # its version is the key version: a new one even for the same password
    draft.put(attr.DBCS_PWD)
    draft.put(attr.SUPPLEMENTAL_CREDENTIALS, _supplemental(ctx, draft, prepared, rules))
    _write_pwd_last_set(ctx, draft, change)


def store_hash(ctx: WriteContext, draft: Draft, new: bytes, *, change: bool) -> None:
    """Put an NT hash into a draft, of a password that nobody tells: there are no other keys of it.

    Length and complexity cannot be judged. Spec: [MS-SAMR] 3.1.1.8.7.
    """
    _check_settable(ctx, draft, change)
    if _is_krbtgt(draft):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "krbtgt's password is not set by its hash")
    rules = effective_policy(ctx, draft.row)
    if change:
        _check_age(ctx, draft, rules, change)
        _check_history(draft, new, rules, change)
    _write_history(draft, new, rules)
    draft.put(attr.UNICODE_PWD, new)
    draft.put(attr.DBCS_PWD)
    draft.put(attr.SUPPLEMENTAL_CREDENTIALS, blobs.UserProperties(()).pack())
    draft.rewritten |= {attr.UNICODE_PWD, attr.SUPPLEMENTAL_CREDENTIALS}
    _write_pwd_last_set(ctx, draft, change)


def _is_krbtgt(draft: Draft) -> bool:
    """krbtgt of the domain or of an RODC."""
    return draft.rid() == wellknown.RID_KRBTGT or draft.has(attr.MS_DS_SECONDARY_KRB_TGT_NUMBER)


def _ready(ctx: WriteContext, draft: Draft, prepared: PreparedPassword) -> PreparedPassword:
    """`prepared` with the right salt and key types; krbtgt gets a random password whatever was asked for."""
    name = draft.text(attr.SAM_ACCOUNT_NAME)
    uac = draft.integer(attr.USER_ACCOUNT_CONTROL)
    is_trust = bool(uac & UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT)
    upn = draft.text(attr.USER_PRINCIPAL_NAME)
    salt = salt_for(ctx.forest.realm, name, draft.plan.is_computer, is_trust, upn=upn)
    if _is_krbtgt(draft) and not draft.is_new:
        return derive(Secret(ctx.rng.bytes(_RANDOM_PASSWORD_SIZE)), salt)
    sha2 = wants_sha2(draft.integer(attr.MS_DS_SUPPORTED_ENCRYPTION_TYPES))
    if prepared.salt == salt and (prepared.has_sha2 or not sha2):
        return prepared
    return replace(derive(prepared.password, salt, sha2=sha2), vetted=prepared.vetted)


def _write_history(draft: Draft, new: bytes, rules: PasswordPolicy) -> None:
    """Spec: [MS-SAMR] 3.1.1.9.1."""
    length = rules.history_length
    if draft.rid() == wellknown.RID_KRBTGT:
        length = max(length, _KRBTGT_HISTORY_MIN)
    if not length:
        draft.put(attr.NT_PWD_HISTORY)
        return
    history = draft.first(attr.NT_PWD_HISTORY) or draft.first(attr.UNICODE_PWD) or b""
    draft.put(attr.NT_PWD_HISTORY, (new + history)[: length * _HASH_SIZE])


def _supplemental(
    ctx: WriteContext, draft: Draft, prepared: PreparedPassword, rules: PasswordPolicy
) -> bytes:
    """The new supplementalCredentials. Spec: [MS-SAMR] 3.1.1.8.11."""
    before = stored_keys(draft.first(attr.SUPPLEMENTAL_CREDENTIALS))
    fresh = tuple(
        blobs.KerbKeyDataNew(
            iteration_count=ETYPES[key.etype].iterations, key_type=int(key.etype), key=key.value
        )
        for key in prepared.keys
    )
    keys = blobs.KerbStoredCredentialNew(
        default_salt=prepared.salt,
        default_iteration_count=ETYPES[Etype.AES256_CTS_HMAC_SHA1_96].iterations,
        credentials=fresh,
        service_credentials=(),
        old_credentials=before.credentials if before else (),
        older_credentials=before.old_credentials if before else (),
    )
    values: list[tuple[str, bytes]] = [(blobs.KERBEROS_NEWER_KEYS, keys.pack())]
    values.append((blobs.NTLM_STRONG_NTOWF, ctx.rng.bytes(_HASH_SIZE)))
    uac = draft.integer(attr.USER_ACCOUNT_CONTROL)
    if rules.reversible or uac & UserAccountControl.UF_ENCRYPTED_TEXT_PASSWORD_ALLOWED:
        values.append((blobs.CLEARTEXT, prepared.password.reveal()))
    return blobs.UserProperties.of(values).pack()


def _write_pwd_last_set(ctx: WriteContext, draft: Draft, change: bool) -> None:
    """Now; at once expired where a reset comes from one without Unexpire-Password. Spec: 3.1.1.8.7."""
    if attr.PWD_LAST_SET in draft.given and draft.integer(attr.PWD_LAST_SET) == 0 and not change:
        draft.put(attr.PWD_LAST_SET, b"0")
    elif change or sam_rules.may_on_domain(ctx, ExtendedRight.UNEXPIRE_PASSWORD):
        draft.put_integer(attr.PWD_LAST_SET, ctx.now)
    else:
        draft.put(attr.PWD_LAST_SET, b"0")


def check_old(ctx: ReadContext, draft: Draft, old: Secret) -> None:
    """The old password that a change brings is the present one; an account without one has the empty one.

    A lockout that is over ends with it ([MS-SAMR] 3.1.5.14.5).
    Raises DsError(ERROR_ACCOUNT_LOCKED_OUT) before it looks, else WrongPasswordError, which the caller has
    counted once this transaction is over.
    """
    row = draft.row
    assert row is not None
    if _is_locked_out(ctx, row):
        raise DsError(
            Win32.ERROR_ACCOUNT_LOCKED_OUT,
            "the account is locked out",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="unicodePwd",
        )
    current = draft.before.get(attr.UNICODE_PWD)
    given = nt_hash(old)
    expected = current[0] if current else NT_HASH_OF_EMPTY
    if not Secret(given).matches(expected):
        raise WrongPasswordError(row.dnt)
    end_lockout(draft)


def end_lockout(draft: Draft) -> None:
    """Spec: [MS-SAMR] 3.1.5.14.5, 3.1.1.8.3."""
    if draft.integer(attr.LOCKOUT_TIME):
        draft.put(attr.LOCKOUT_TIME, b"0")
        draft.put(attr.BAD_PWD_COUNT, b"0")


def _is_locked_out(ctx: ReadContext, row: ObjectRow) -> bool:
    since, span = entry.integer(row, attr.LOCKOUT_TIME), effective_policy(ctx, row).lockout_duration
    return bool(since) and (not span or ctx.now < since + span)


def may_set(ctx: ReadContext, row: ObjectRow, *, change: bool) -> bool:
    """Whether the requester holds the right to change or to reset the password; nothing is audited."""
    right = ExtendedRight.USER_CHANGE_PASSWORD if change else ExtendedRight.USER_FORCE_CHANGE_PASSWORD
    return ctx.unrestricted or rights.grants(ctx, row).allows(rights.CONTROL_ACCESS, right.bytes_le)


def require_change_right(ctx: WriteContext, row: ObjectRow) -> None:
    """User-Change-Password on the account. Spec: [MS-ADTS] 3.1.1.3.1.5.1."""
    _require(ctx, row, ExtendedRight.USER_CHANGE_PASSWORD.bytes_le)


def require_reset_right(ctx: WriteContext, row: ObjectRow) -> None:
    """User-Force-Change-Password on the account. Spec: [MS-ADTS] 3.1.1.3.1.5.1."""
    _require(ctx, row, ExtendedRight.USER_FORCE_CHANGE_PASSWORD.bytes_le)


def _require(ctx: WriteContext, row: ObjectRow, right: bytes) -> None:
    if not rights.holds_right(ctx, row, right):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "INSUFF_ACCESS_RIGHTS", attribute="unicodePwd")


def heeds_user_password(ctx: ReadContext) -> bool:
    """Whether userPassword is a password here. Spec: [MS-ADTS] 3.1.1.3.1.5.2 (fUserPwdSupport)."""
    return policy.heuristics(ctx).user_pwd_support


# --- the doors of SAMR and kpasswd -------------------------------------------------------------------------


def set_password(
    ctx: WriteContext, row: ObjectRow, prepared: PreparedPassword, *, policy_hints: bool = False
) -> None:
    """Reset an account's password in the name of the requester.

    prepared: of `prepare_row`. Raises DsError: ERROR_ACCESS_DENIED, ERROR_PASSWORD_RESTRICTION.
    """
    require_reset_right(ctx, row)
    draft = draft_of(ctx, row)
    store_password(ctx, draft, prepared, change=False, policy_hints=policy_hints)
    save(ctx, draft)


def change_password(
    ctx: WriteContext, row: ObjectRow, old: Secret | None, prepared: PreparedPassword
) -> None:
    """Change an account's password in the name of the requester.

    old: the present password (UTF-16LE), None where the caller has had it proved already.
    Raises DsError: ERROR_INVALID_PASSWORD, ERROR_ACCOUNT_LOCKED_OUT, ERROR_ACCESS_DENIED,
    ERROR_PASSWORD_RESTRICTION.
    """
    require_change_right(ctx, row)
    draft = draft_of(ctx, row)
    if old is None:
        end_lockout(draft)
    else:
        check_old(ctx, draft, old)
    store_password(ctx, draft, prepared, change=True)
    save(ctx, draft)
