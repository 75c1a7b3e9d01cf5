"""What people write to the Official Account, as Zalo's webhook brings it (``user_send_text`` and the other
``user_send_…``).

Zalo signs each call: ``X-ZEvent-Signature: mac=`` and the SHA-256 of application id, body, the body's ``timestamp`` and
the OA's secret key, written one after the other. A writer has an id of Zalo's and no telephone number; who they are is
known by the code of a letter that they send (``inbound.answers``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from engine.errors import BadInput, LinkRefused
from engine.text import Text
from notifications.sms.incoming import Incoming

SIGNATURE_HEADER = "X-ZEvent-Signature"
FROM_PERSON, TEXT = "user_send_", "user_send_text"


def from_zalo(body: bytes, signature: str, app_id: str, oa_secret: str) -> Incoming | None:
    """The message of a webhook call; None for an event that is no message of a person. What is no text is named:
    «[user_send_image]». Raises BadInput, and LinkRefused for a call that Zalo did not sign."""
    event = _event(body)
    signed = app_id.encode() + body + str(event.get("timestamp", "")).encode() + oa_secret.encode()
    expected = hashlib.sha256(signed).hexdigest()
    if not oa_secret or not hmac.compare_digest(signature.removeprefix("mac=").strip().encode(), expected.encode()):
        raise LinkRefused(Text("Chữ ký của Zalo không đúng.", "The signature is not Zalo's."))
    name, message, sender = str(event.get("event_name", "")), event.get("message"), event.get("sender")
    if not name.startswith(FROM_PERSON) or not isinstance(message, dict) or not isinstance(sender, dict):
        return None
    id, writer = str(message.get("msg_id", ""))[:160], str(sender.get("id", ""))[:64]
    if not id or not writer:
        raise BadInput(Text("Zalo gọi thiếu msg_id hoặc sender.id.", "Zalo called without msg_id or sender.id."))
    text = str(message.get("text") or "").replace("\0", "")
    kind = "" if name == TEXT else f"[{name[:40]}]"
    return Incoming(id, writer, "\n".join(filter(None, (text, kind))), answerable=True)


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise BadInput(Text("Nội dung phải là JSON.", "The body must be a JSON object."))
    return event
