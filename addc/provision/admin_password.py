"""The first administrator's password: held against the new domain's own policy, or made up.

Spec: [MS-SAMR] 3.1.1.7.2
"""

from typing import Final

from addc.base.errors import UserError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.directory.password_policy import PasswordPolicy, PwdProperties, weakness
from addc.provision import data

ACCOUNT: Final = "Administrator"
_GROUPS: Final = 5
_GROUP_LENGTH: Final = 4
_LOWER: Final = "abcdefghijkmnpqrstuvwxyz"
_UPPER: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS: Final = "23456789"


def _policy() -> PasswordPolicy:
    domain = data.objects()[0]["attrs"]
    properties = int(domain["pwdProperties"][0])
    return PasswordPolicy(
        minimum_length=int(domain["minPwdLength"][0]),
        complexity=bool(properties & PwdProperties.DOMAIN_PASSWORD_COMPLEX),
    )


def check_admin_password(password: Secret) -> None:
    """UserError if the new domain's password policy refuses it."""
    policy = _policy()
    try:
        text = password.reveal().decode("utf-8")
    except UnicodeDecodeError:
        raise UserError("The administrator's password is not UTF-8. Next step: give another one") from None
    reason = weakness(policy, text, ACCOUNT, "")
    if reason:
        raise UserError(
            f"The administrator's password is refused: {reason}. The new domain wants at least "
            f"{policy.minimum_length} characters of three kinds (capitals, small letters, digits, others) "
            f"without {ACCOUNT!r} in them. Next step: give another one"
        )


def generate_admin_password(rng: Rng) -> Secret:
    """Groups of letters and digits that nobody confuses; some 110 bits."""
    alphabet = _LOWER + _UPPER + _DIGITS
    size = _GROUPS * _GROUP_LENGTH
    while True:
        drawn = [byte for byte in rng.bytes(4 * size) if byte < 256 // len(alphabet) * len(alphabet)][:size]
        letters = [alphabet[byte % len(alphabet)] for byte in drawn]
        kinds = [any(letter in kind for letter in letters) for kind in (_LOWER, _UPPER, _DIGITS)]
        if len(letters) == size and all(kinds):
            starts = range(0, size, _GROUP_LENGTH)
            return Secret.of_text("-".join("".join(letters[at : at + _GROUP_LENGTH]) for at in starts))
