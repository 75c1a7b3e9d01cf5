"""Values encrypted at rest by a key derived from the installation's secret: they are read back, but only here.

What only has to be recognised (passwords, tokens) is stored as a digest instead (``secret_keys``, ``passwords``).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from engine.accounts.signed_links import Signer


class SealBroken(ValueError):
    """The value was sealed by another secret, for another use, or was changed."""


def seal(signer: Signer, use: str, value: object) -> str:
    """JSON data, encrypted and authenticated (Fernet). ``use`` keeps the keys of different tables apart."""
    return _cipher(signer, use).encrypt(json.dumps(value).encode()).decode()


def unseal(signer: Signer, use: str, sealed: str) -> Any:
    """Raises SealBroken."""
    try:
        return json.loads(_cipher(signer, use).decrypt(sealed.encode()))
    except (InvalidToken, ValueError) as error:
        raise SealBroken from error


def _cipher(signer: Signer, use: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(signer.secret(use))))
