"""What a refused operation says."""

from collections.abc import Callable

import pytest

from addc.base.errors import DsError
from addc.codes.faces import ldap_face
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32


def refusal(work: Callable[[], object]) -> tuple[LdapResult | None, Win32]:
    """LDAP result (where the rule names one) and Win32 code of a refused operation."""
    with pytest.raises(DsError) as caught:
        work()
    result = caught.value.ldap_result
    return None if result is None else LdapResult(result), Win32(caught.value.code)


def refusal_told(work: Callable[[], object]) -> tuple[LdapResult, int]:
    """LDAP result and Win32 code of a refused operation, as its client is told."""
    with pytest.raises(DsError) as caught:
        work()
    return ldap_face(caught.value)[0], caught.value.code
