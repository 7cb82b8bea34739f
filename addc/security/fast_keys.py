"""The keys of FAST: what armor, replies in it and encrypted challenges are sealed with.

Spec: RFC 6113 5.1 (KRB-FX-CF2), 5.4.1, 5.4.2, 5.4.3, 5.4.6.
"""

from addc.security.krb_keys import Key, cf2


def armor_key(subkey: Key, session: Key) -> Key:
    """Of an AP-REQ: its authenticator's subkey, its ticket's session key."""
    return cf2(subkey, session, b"subkeyarmor", b"ticketarmor")


def tgs_armor_key(armor: Key, subkey: Key) -> Key:
    """Of a TGS-REQ with an armor of its own. subkey: of the TGS-REQ."""
    return cf2(armor, subkey, b"explicitarmor", b"tgsarmor")


def strengthened_key(strengthen: Key, reply: Key) -> Key:
    """Of a reply's encrypted part, where the armor carries a strengthen-key."""
    return cf2(strengthen, reply, b"strengthenkey", b"replykey")


def client_challenge_key(armor: Key, long_term: Key) -> Key:
    return cf2(armor, long_term, b"clientchallengearmor", b"challengelongterm")


def kdc_challenge_key(armor: Key, long_term: Key) -> Key:
    return cf2(armor, long_term, b"kdcchallengearmor", b"challengelongterm")
