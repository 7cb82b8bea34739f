"""Fixtures that every test may use."""

pytest_plugins = [
    "tests.kit.databases",
    "tests.kit.corp",
    "tests.kit.forest",
    "tests.kit.served",
    "tests.kit.ldap_desk",
    "tests.kit.dns_desk",
    "tests.kit.rpc_desk",
    "tests.kit.smb_desk",
    "tests.kit.lsa_desk",
    "tests.kit.sam_desk",
    "tests.kit.graveyard",
    "tests.kit.delegated",
    "tests.kit.rodc_branch",
    "tests.kit.admin_target",
]
