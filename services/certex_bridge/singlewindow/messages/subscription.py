"""F2: subscribing to changes of status (Implementing Regulation (EU) 2024/2145 Art. 5(2))."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from certex_bridge.singlewindow.messages.base import Country, Instant, Message, Part, Text35, Text70, Text512

Count = Annotated[int, Field(ge=0)]


class SubscriptionTerms(Part):
    """What a caller wants to hear of, where and how."""

    scope: Literal["INTEREST", "LICENCE", "ISSUER", "ALL"]
    """INTEREST: documents that declarations of the caller's member state wait for, or that it checked in the last 30
    days for declarations not finished; LICENCE: one document; ISSUER: all of one issuing country."""
    issuing_country: Country | None = None
    """With LICENCE and ISSUER."""
    reference_number: Text70 | None = None
    """With LICENCE."""
    url: Text512 | None = None
    """Where pushes go (https); none: the address agreed on for the caller."""
    format: Literal["JSON", "XML"] = "JSON"
    """Form of the bodies."""
    valid_to: Instant | None = None
    """Nothing is owed any more from then on (UTC); none: until it is ended."""


class SubscriptionRequest(Message):
    """Subscribe, end a subscription, or list one's own."""

    family: ClassVar[str] = "subscription"
    root: ClassVar[str] = "SubscriptionRequest"
    message_type: ClassVar[str] = "CBSUBQ"

    action: Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST"]
    subscription_identification: Text35 | None = None
    """With UNSUBSCRIBE."""
    subscription_terms: Annotated[SubscriptionTerms | None, Field(alias="SubscriptionTerms")] = None
    """With SUBSCRIBE."""


class SubscriptionDetails(Part):
    """A subscription as it stands."""

    subscription_identification: Text35
    subscription_terms: Annotated[SubscriptionTerms, Field(alias="SubscriptionTerms")]
    created_at: Instant
    last_push_number: Count = 0
    """Number of the newest push, delivered or not."""
    paused: Literal["OPERATOR", "GONE"] | None = None
    """Pushes are kept and not sent: by the operator, or because the address answered 410."""
    failing_since: Instant | None = None
    """When the first attempt failed since the last success; attempts go on."""


class SubscriptionResponse(Message):
    """The subscription made or ended, or all of the caller."""

    family: ClassVar[str] = "subscription"
    root: ClassVar[str] = "SubscriptionResponse"
    message_type: ClassVar[str] = "CBSUBR"

    action: Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST"]
    secret: Text512 | None = None
    """Only in the answer to SUBSCRIBE: the key that signs the pushes (HMAC-SHA256), as whsec_ and base64."""
    subscription: Annotated[tuple[SubscriptionDetails, ...], Field(alias="Subscription", strict=False)] = ()
