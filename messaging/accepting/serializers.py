"""Request and response fields of a send."""

import threading
from collections.abc import Collection, Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from messaging.accepting.accept import CAMPAIGN_LENGTH, REFERENCE_LENGTH, NewMessage
from messaging.accepting.send_times import MAX_AHEAD, check_times
from messaging.accepting.sending_numbers import UnknownNumber
from messaging.contacts import InvalidPhoneNumber, parse_recipient
from messaging.models import PRIORITIES, BusinessNumber, OnUnknown
from messaging.models.messages import PEER_LENGTH, WAMID_LENGTH, on_unknown_choices
from messaging.whatsapp import outbound
from messaging.whatsapp.outbound.interactive import KINDS as INTERACTIVE_KINDS
from waproject.web.api.strict_fields import ChoiceField, StrictDateTimeField, StringField, strict_internal_value

MAX_BULK = 1000
MESSAGE_DATA_HELP = """\
The content, by message type. All but text and contacts have the form of Meta's node of that type:

- text: `{"content": "…", "preview_url": false}`
- image, video, audio, document, sticker: `{"link": "https://…"}` or `{"id": "…"}`; `caption` (image, video, document),
  `filename` (document), `voice` (audio)
- location: `{"latitude", "longitude", "name", "address"}`
- contacts: `{"contacts": [{"name": {"formatted_name": "…"}, "phones": […], …}]}`
- reaction: `{"message_id": "…", "emoji": "👍"}`; our id or a wamid; an empty emoji removes the reaction
- interactive: `{"type", "body": {"text"}, "action", "header", "footer"}`; the types: KINDS
- template: `{"name", "language", "components"}`
""".replace("KINDS", ", ".join(INTERACTIVE_KINDS))


class SendSerializer(serializers.Serializer[Any]):
    """One message to send. `run_validation` gives {"new": NewMessage, "warnings": [str]}.

    Building its fields costs more than using them, so each thread builds one instance (`of_this_thread`).
    """

    _instances = threading.local()
    _numbers: Mapping[str | None, BusinessNumber] = {}
    _known: Collection[str] = ()

    @classmethod
    def of_this_thread(
        cls, numbers: Mapping[str | None, BusinessNumber], known: Collection[str] = ()
    ) -> "SendSerializer":
        """The calling thread's instance, valid until the next call.

        `numbers`: the senders that bodies may name (None: the default one). `known`: recipients that exist, whatever
        their country's numbering plan says.
        """
        serializer: SendSerializer | None = getattr(cls._instances, "serializer", None)
        if serializer is None:
            serializer = cls._instances.serializer = cls()
        serializer._numbers, serializer._known = numbers, known
        return serializer

    phone_number = StringField(
        max_length=PEER_LENGTH,
        help_text="In international form: +15551234567; or a business-scoped user id: US.13491208655302741918.",
    )
    message_type = ChoiceField(choices=outbound.MESSAGE_TYPES)
    message_data = serializers.JSONField(help_text=MESSAGE_DATA_HELP)
    priority = ChoiceField(choices=list(PRIORITIES), default="normal")
    sender = StringField(
        max_length=32, required=False, help_text="Meta's id of the business number to send from; else the default one."
    )
    reference = StringField(
        max_length=REFERENCE_LENGTH,
        default="",
        help_text="Your own id of the message, for searches. It need not be unique.",
    )
    campaign = StringField(
        max_length=CAMPAIGN_LENGTH,
        default="",
        help_text="Your own label. A campaign's messages can be found, held and resumed.",
    )
    reply_to = StringField(
        max_length=WAMID_LENGTH,
        default="",
        help_text="The message to reply to, in the same conversation: our id of it, or its wamid.",
    )
    send_at = StrictDateTimeField(
        required=False, help_text=f"Not sent before this time, at most {MAX_AHEAD.days} days ahead. Default: now."
    )
    expires_at = StrictDateTimeField(
        required=False, help_text="Not sent after this time: the message is `expired` then. Default: never."
    )
    on_unknown = ChoiceField(
        choices=on_unknown_choices(),
        default=OnUnknown.WAIT.value,
        help_text=(
            "What to do when Meta's answer is lost. `wait` until it is known whether the message was sent. `resend` "
            "after a short time, if a duplicate does less harm than a delay. `fail` at once: you decide."
        ),
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
        return strict_internal_value(super().to_internal_value, data, self.fields)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the fields that depend on each other, and build the NewMessage."""
        try:
            content = outbound.validate(attrs["message_type"], attrs["message_data"])
            check_times(attrs.get("send_at"), attrs.get("expires_at"), timezone.now())
        except outbound.InvalidContent as error:
            raise serializers.ValidationError({error.field: error.message}) from None
        phone = attrs["phone_number"]
        new = NewMessage(
            peer=phone.digits,
            type=attrs["message_type"],
            content=content,
            number=self._number(attrs.get("sender")),
            priority=PRIORITIES[attrs["priority"]],
            due_at=attrs.get("send_at"),
            expires_at=attrs.get("expires_at"),
            reference=attrs["reference"],
            campaign=attrs["campaign"],
            on_unknown=OnUnknown(attrs["on_unknown"]),
            context_wamid=attrs["reply_to"],
        )
        return {"new": new, "warnings": [phone.warning] if phone.warning else []}

    def validate_phone_number(self, value: str) -> Any:
        """The PhoneNumber, a user id included. Raises ValidationError with the reason."""
        try:
            return parse_recipient(value, self._known)
        except InvalidPhoneNumber as error:
            raise serializers.ValidationError(str(error)) from None

    def _number(self, sender: str | None) -> BusinessNumber:
        number = self._numbers.get(sender)
        if number is None:
            raise serializers.ValidationError({"sender": str(UnknownNumber(sender))})
        return number


class AcceptedSerializer(serializers.Serializer[Any]):
    """The answer to a send."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField(), required=False)


class BulkSerializer(serializers.Serializer[Any]):
    """Up to 1,000 messages; each is a send body."""

    messages = serializers.ListField(child=SendSerializer(), min_length=1, max_length=MAX_BULK)


class BulkItemSerializer(serializers.Serializer[Any]):
    """The result of one item: an id and a status, or its errors."""

    index = serializers.IntegerField()
    id = serializers.UUIDField(required=False)
    status = serializers.CharField(required=False)
    warnings = serializers.ListField(child=serializers.CharField(), required=False)
    errors = serializers.DictField(required=False)  # type: ignore[assignment]


class LimitForecastSerializer(serializers.Serializer[Any]):
    """What the messaging limit of one portfolio means for the messages."""

    portfolio = serializers.CharField()
    users_a_day = serializers.IntegerField(help_text="Meta's limit of new recipients in a moving 24 hours.")
    opened = serializers.IntegerField(help_text="Recipients that count now.")
    new_recipients = serializers.IntegerField(help_text="Recipients of these messages that would count.")
    waiting = serializers.IntegerField(help_text="Messages that wait for the limit already, and go first.")
    done_at = serializers.DateTimeField(
        allow_null=True, help_text="When the limit lets the last of these go; null: not within 60 days."
    )


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """The answer to a bulk send: one result per item, in the order of the items."""

    results = BulkItemSerializer(many=True)
    messaging_limit = LimitForecastSerializer(
        many=True, required=False, help_text="One for each portfolio with a messaging limit."
    )


class EstimatedMessageSerializer(serializers.Serializer[Any]):
    """What one message will cost."""

    index = serializers.IntegerField(help_text="Of the item; 0 for a single send.")
    market = serializers.CharField(help_text="A row of Meta's rate card.")
    category = serializers.CharField(allow_null=True, help_text="null: the template's category is not known.")
    price = serializers.CharField(allow_null=True, help_text="null: no rate card has one.")
    free = serializers.CharField(allow_null=True, help_text="Why it is free: free_customer_service, free_entry_point.")


class EstimateSerializer(serializers.Serializer[Any]):
    """What messages will cost; money is text."""

    currency = serializers.CharField()
    total = serializers.CharField(allow_null=True, help_text="null: nothing has a price.")
    charged = serializers.IntegerField()
    free = serializers.IntegerField()
    unpriced = serializers.IntegerField()
    cards = serializers.ListField(child=serializers.CharField())
    messages = EstimatedMessageSerializer(many=True)


class RefusedItemSerializer(serializers.Serializer[Any]):
    """An item that would be refused."""

    index = serializers.IntegerField()
    errors = serializers.DictField()  # type: ignore[assignment]


class EstimateAnswerSerializer(serializers.Serializer[Any]):
    """The answer to a send with `?estimate=true`."""

    estimate = EstimateSerializer()
    messaging_limit = LimitForecastSerializer(many=True, required=False)
    refused = RefusedItemSerializer(many=True, required=False)
