"""Between subscriptions, pushes and table rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certex_bridge.singlewindow.pushes.model import Form, Paused, Push, PushKind, Scope, Subscription


def subscription(row: Mapping[str, Any]) -> Subscription:
    """A subscription row."""
    return Subscription(
        subscription_id=row["subscription_id"],
        caller=row["caller"],
        member_state=row["member_state"],
        declarations_shown=row["declarations_shown"],
        scope=Scope(row["scope"]),
        issuer=row["issuer"],
        licence_id=row["licence_id"],
        url=row["url"],
        form=Form(row["form"]),
        key_check=row["key_check"],
        created_at=row["created_at"],
        valid_to=row["valid_to"],
        ended_at=row["ended_at"],
        paused=Paused(row["paused"]),
        last_number=row["last_number"],
        failing_since=row["failing_since"],
    )


def new_subscription(one: Subscription) -> tuple[object, ...]:
    """What is written of a new one."""
    return (
        one.subscription_id,
        one.caller,
        one.member_state,
        one.declarations_shown,
        one.scope,
        one.issuer,
        one.licence_id,
        one.url,
        one.form,
        one.key_check,
        one.created_at,
        one.valid_to,
    )


def push(row: Mapping[str, Any]) -> Push:
    """A push row."""
    return Push(
        row["subscription_id"],
        row["number"],
        PushKind(row["kind"]),
        row["subject"],
        row["content_type"],
        row["body"],
        row["created_at"],
        row["attempts"],
        row["trace"],
    )


def new_push(one: Push) -> tuple[object, ...]:
    """What is written of a new one."""
    told = (one.subscription_id, one.number, one.kind, one.subject, one.content_type, one.body)
    return (*told, one.created_at, one.trace)
