"""SPNs follow the names of their computer."""

from tests.kit.corp import Corp, replace_values


def test_service_names_follow_the_names_of_a_computer(corp_sqlite: Corp) -> None:
    dn = "CN=PC7,CN=Computers"
    names = {"sAMAccountName": "PC7$", "dNSHostName": "pc7.corp.example"}
    spns = ("HOST/PC7", "HOST/pc7.corp.example", "HTTP/pc7.corp.example:80/x", "HOST/other")
    dnt = corp_sqlite.add(dn, "computer", values=names, servicePrincipalName=spns)
    corp_sqlite.modify(
        dn, replace_values("sAMAccountName", "PC8$"), replace_values("dNSHostName", "pc8.corp.example")
    )
    followed = {b"HOST/PC8", b"HOST/pc8.corp.example", b"HTTP/pc7.corp.example:80/x", b"HOST/other"}
    assert set(corp_sqlite.values(dnt, "servicePrincipalName")) == followed
    corp_sqlite.modify(dn, replace_values("dNSHostName"))
    assert set(corp_sqlite.values(dnt, "servicePrincipalName")) == followed
