"""What Slack's failures mean for us. It reports most of them as HTTP 200 with `ok: false`.

Codes: https://docs.slack.dev/reference/methods/chat.postMessage#errors and chat.update.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import ClientConnectorError, ClientResponse, ConnectionTimeoutError, InvalidURL
from slack_sdk.errors import SlackApiError

from app.errors import (
    Ambiguous,
    ContentRefused,
    DeliveryFailed,
    DestinationDead,
    ReferenceLost,
    TryLater,
)

_DEAD = frozenset(
    [
        "account_inactive",
        "access_denied",
        "as_user_not_supported",
        "cannot_dm_bot",
        "channel_is_archived",
        "channel_not_found",
        "channel_type_not_supported",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "external_channel_migrating",
        "invalid_auth",
        "invalid_channel",
        "invalid_token",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "slack_connect_blocked_file_type",
        "slack_connect_canvas_sharing_blocked",
        "team_access_not_granted",
        "team_added_to_org",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
        "user_not_found",
        "user_not_in_channel",
    ]
)
_CONTENT = frozenset(
    [
        "attachment_payload_limit_exceeded",
        "block_mismatch",
        "blocks_too_long",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_form_data",
        "invalid_json",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_post_type",
        "json_not_object",
        "markdown_text_conflict",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "missing_post_type",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
        "too_many_contact_cards",
    ]
)
_LOST = frozenset(
    [
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
        "invalid_ts",
        "invalid_thread_ts",
    ]
)
#: "It's possible some aspect of the operation succeeded before the error was raised."
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error"})

_FAILED = 500  # HTTP: the server or something before it, perhaps after the request was done

_HINTS = {
    "channel_not_found": "check its name; to a private one the app must be invited",
    "not_in_channel": "invite the app to it",
    "is_archived": "the channel is archived",
    "invalid_auth": "check SLACK_BOT_TOKEN",
    "token_revoked": "install the app again and set the new SLACK_BOT_TOKEN",
}


def from_answer(error: SlackApiError, *, repeatable: bool) -> DeliveryFailed:
    """The error that Slack's answer stands for.

    `repeatable` says that doing the same again does no harm: all but posting a message.
    """
    answer = error.response
    if isinstance(answer, ClientResponse):  # a body that is not the JSON it says it is
        return _unreadable(answer.status, answer.headers, repeatable=repeatable)
    data = answer.data if isinstance(answer.data, dict) else {}
    code = data.get("error")
    if not isinstance(code, str) or not code or (answer.status_code >= _FAILED and not repeatable):
        return _unreadable(answer.status_code, answer.headers, repeatable=repeatable)
    return from_code(code, data, after=retry_after(answer.headers), repeatable=repeatable)


def from_code(
    code: str,
    data: Mapping[str, Any] | None = None,
    *,
    after: timedelta | None = None,
    repeatable: bool = True,
) -> DeliveryFailed:
    """The error that one of Slack's own codes stands for; an unknown code is for later."""
    says = f"Slack says {code[:80]}{_hint(code, data or {})}."
    if code in _DEAD:
        return DestinationDead(says, code=code)
    if code in _CONTENT or code.startswith("metadata_"):
        return ContentRefused(says, code=code)
    if code in _LOST:
        return ReferenceLost(says, code=code)
    if code in _PERHAPS_DONE and not repeatable:
        return Ambiguous(says, code=code)
    return TryLater(says, code=code[:80], after=after)


def from_transport(error: Exception, *, repeatable: bool) -> DeliveryFailed:
    """The error that a broken connection stands for. The text never holds what was sent."""
    kind = type(error).__name__
    # These come before a byte of the request was sent.
    if isinstance(error, ClientConnectorError | ConnectionTimeoutError | InvalidURL):
        return TryLater(f"Slack cannot be reached ({kind}).", code="unreachable")
    code = "timeout" if isinstance(error, TimeoutError) else "connection_lost"
    says = f"Slack gave no usable answer ({kind})."
    return TryLater(says, code=code) if repeatable else Ambiguous(says, code=code)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long Slack wants to be left alone; it says so in whole seconds."""
    value = next((headers[name] for name in headers if name.lower() == "retry-after"), "")
    return timedelta(seconds=min(int(value), 86400)) if value.isdecimal() else None


def _unreadable(status: int, headers: Mapping[str, str], *, repeatable: bool) -> DeliveryFailed:
    """An answer without a code: from something in between, or one that was cut off."""
    code = f"http_{status}"
    says = f"Slack gave no usable answer (HTTP {status})."
    if status == 429 or repeatable:  # noqa: PLR2004
        return TryLater(says, code=code, after=retry_after(headers))
    # Whoever said 4xx did not take the request; a 5xx or half an answer may come after it did.
    return TryLater(says, code=code) if 400 <= status < 500 else Ambiguous(says, code=code)  # noqa: PLR2004


def _hint(code: str, data: Mapping[str, Any]) -> str:
    needed = data.get("needed")
    if code == "missing_scope" and isinstance(needed, str):
        return f": the app needs {needed[:80]}"
    return f": {_HINTS[code]}" if code in _HINTS else ""
