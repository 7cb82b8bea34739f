"""NT hashes as they travel inside a call: two DES blocks under a key of 16 bytes; weak, and what is spoken.

Spec: [MS-SAMR] 2.2.11.1.1, 2.2.11.1.4.
"""

from addc.security.crypto.ciphers import insecure_des_decrypt, insecure_des_encrypt


def insecure_wrap_hash(value: bytes, key: bytes) -> bytes:
    """An ENCRYPTED_NT_OWF_PASSWORD of a hash. key: 16 bytes."""
    return insecure_des_encrypt(key[:7], value[:8]) + insecure_des_encrypt(key[7:14], value[8:16])


def insecure_unwrap_hash(value: bytes, key: bytes) -> bytes:
    """The inverse of `insecure_wrap_hash`."""
    return insecure_des_decrypt(key[:7], value[:8]) + insecure_des_decrypt(key[7:14], value[8:16])
