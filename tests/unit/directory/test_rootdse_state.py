"""Operational attributes of the rootDSE and their options. [MS-ADTS] 3.1.1.3.2."""

import pytest

from addc.codec.filter import Present
from addc.directory.controls import RequestOptions
from addc.directory.rootdse_operations import OPERATIONS
from addc.directory.rootdse_state import OPERATION_NAMES
from addc.directory.search import BASE, SearchRequest, search
from addc.security.token import ANONYMOUS, SYSTEM, Token
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN

DIRECTORY_SERVICE = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{DOMAIN_DN}"
PLAIN = RequestOptions()


def read(
    corp: Corp, *attributes: str, who: Token = ANONYMOUS, options: RequestOptions = PLAIN
) -> dict[str, list[bytes]]:
    request = SearchRequest("", BASE, Present("objectClass"), attributes, options=options)
    (entry,) = corp.read(lambda ctx: search(ctx, request), who).entries
    return {name.decode(): values for name, values in entry.attributes}


def test_the_operations_told_are_those_there_are(corp_sqlite: Corp) -> None:
    assert {name.lower() for name in OPERATION_NAMES} == set(OPERATIONS)
    told = read(corp_sqlite, "msDS-SupportedRootDSEModifications")["msDS-SupportedRootDSEModifications"]
    assert told == [name.encode() for name in OPERATION_NAMES]


def test_what_is_told_of_attributes_can_be_read(corp_sqlite: Corp) -> None:
    """Some have no value here, none is missing from the list of those that are returned on "+"."""
    (listed,) = read(corp_sqlite, "msDS-SupportedRootDSEAttributes").values()
    found = read(corp_sqlite, "*", "+", who=SYSTEM)
    assert set(found) <= {name.decode() for name in listed}
    assert len(listed) == len(set(listed))


def test_internals_are_numbers_and_names(corp_sqlite: Corp) -> None:
    found = read(corp_sqlite, "approximateHighestInternalObjectID", "databaseGuid", "dsSchemaPrefixCount")
    dnt = corp_sqlite.add("OU=x", "organizationalUnit")
    assert int(found["approximateHighestInternalObjectID"][0]) == dnt - 1
    assert found["databaseGuid"] == [str(corp_sqlite.forest.invocation_id).encode()]
    (table,) = read(corp_sqlite, "msDS-PrefixTable")["msDS-PrefixTable"]
    assert len(table.splitlines()) == int(found["dsSchemaPrefixCount"][0]) > 30


def test_indices_are_told_to_administrators(corp_sqlite: Corp) -> None:
    assert read(corp_sqlite, "msDS-DatabaseIndices") == {}
    (indices,) = read(corp_sqlite, "msDS-DatabaseIndices", who=corp_sqlite.admin)["msDS-DatabaseIndices"]
    assert b"sAMAccountName" in indices.split(b"\n") and b"description" not in indices.split(b"\n")


def test_the_queue_of_replication_is_xml_or_a_structure(corp_sqlite: Corp) -> None:
    name = "msDS-ReplQueueStatistics"
    (text,) = read(corp_sqlite, name)[name]
    assert b"<cNumPendingOps>0</cNumPendingOps>" in text
    assert b"<ftimeOldestUpdRefs>1601-01-01T00:00:00Z</ftimeOldestUpdRefs>" in text
    assert read(corp_sqlite, f"{name};binary") == {f"{name};binary": [bytes(52)]}
    assert read(corp_sqlite, "msDS-ReplAllInboundNeighbors", "msDS-ReplPendingOps;binary") == {}


def test_quota_usage_is_told_to_who_may_read_it(corp_sqlite: Corp) -> None:
    name = "msDS-TopQuotaUsage"
    assert read(corp_sqlite, name) == {}
    corp_sqlite.user("ann")
    assert read(corp_sqlite, name, who=corp_sqlite.token("ann")) == {}
    told = read(corp_sqlite, name, who=corp_sqlite.admin)[name]
    assert all(value.startswith(b"<MS_DS_TOP_QUOTA_USAGE>") for value in told)


def test_settings_are_those_in_force(corp_sqlite: Corp) -> None:
    """3.1.1.3.4.7: msDS-Other-Settings."""
    change = replace_values("msDS-Other-Settings", "DynamicObjectMinTTL=60", "DisableVLVSupport=1")
    corp_sqlite.modify(DIRECTORY_SERVICE, change)
    name = "ConfigurableSettingsEffective"
    assert set(read(corp_sqlite, name)[name]) == {
        b"DynamicObjectDefaultTTL:86400",
        b"DynamicObjectMinTTL:60",
        b"DisableVLVSupport:1",
    }


def test_list_views_that_are_disabled_are_not_listed(corp_sqlite: Corp) -> None:
    views = {b"2.16.840.1.113730.3.4.9", b"2.16.840.1.113730.3.4.10"}
    assert views <= set(read(corp_sqlite, "supportedControl")["supportedControl"])
    corp_sqlite.modify(DIRECTORY_SERVICE, replace_values("msDS-Other-Settings", "DisableVLVSupport=1"))
    assert not views & set(read(corp_sqlite, "supportedControl")["supportedControl"])


@pytest.mark.parametrize("form", [0, 1])
def test_dns_are_extended_where_that_is_asked(corp_sqlite: Corp, form: int) -> None:
    """3.1.1.3.4.1.5."""
    found = read(corp_sqlite, "defaultNamingContext", "dnsHostName", options=RequestOptions(extended_dn=form))
    (dn,) = found["defaultNamingContext"]
    assert dn.startswith(b"<GUID=") and dn.endswith(f";{DOMAIN_DN}".encode())
    sid = str(corp_sqlite.forest.domain_sid).encode()
    assert (b"<SID=" + sid in dn) is bool(form)
    assert not found["dnsHostName"][0].startswith(b"<")
