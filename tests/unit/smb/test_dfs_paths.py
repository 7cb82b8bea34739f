"""What of a DFS path lies below the share. Spec: [MS-SMB2] 3.3.5.9, [MS-DFSC] 2.2.1."""

import pytest

from addc.smb.names import below_share


@pytest.mark.parametrize(
    ("path", "below"),
    [
        (r"dc1.corp.example.com\sysvol\corp.example.com\Policies", r"corp.example.com\Policies"),
        (r"\corp.example.com\SysVol\corp.example.com", "corp.example.com"),
        (r"corp\SYSVOL", ""),
        ("corp\\sysvol\\a\\", "a\\"),
        ("", ""),
        (r"corp.example.com\Policies\x", r"corp.example.com\Policies\x"),
        (r"corp.example.com\Policies\\x", r"corp.example.com\Policies\x"),
        ("corp.example.com", "corp.example.com"),
    ],
)
def test_server_and_share_are_left_out_where_they_are_named(path: str, below: str) -> None:
    assert below_share(path, "SYSVOL") == below
