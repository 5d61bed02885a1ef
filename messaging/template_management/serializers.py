"""Request and response fields of templates."""

from collections.abc import Mapping
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.models import Template
from messaging.whatsapp.template_form import Place, components_with, example_values, parameters_of
from waproject.web.api.strict_fields import ChoiceField, StringField, strict_internal_value

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
FORMATS = ("POSITIONAL", "NAMED")
NAME = RegexValidator(r"^[a-z0-9_]{1,512}\Z", "Lower-case letters, digits and underscores only, up to 512.")
LANGUAGE = RegexValidator(r"^[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?\Z", "A language code such as en_US.")
# A template has at most one of each of Meta's types.
MAX_COMPONENTS = 20


class HoldSerializer(serializers.Serializer[Any]):
    """A hold on the template: its messages wait."""

    reason = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="Ends by itself at this time; null: by an event.")
    language = serializers.CharField(help_text="Empty: all languages.")
    sender = serializers.CharField(
        source="number.phone_number_id", default=None, allow_null=True, help_text="Null: all numbers of the account."
    )


class ParameterSerializer(serializers.Serializer[Any]):
    """One value that a send of the template gives: a field of a form."""

    key = serializers.CharField(help_text="Unique in the template, such as `body.1` or `cards.0.buttons.1`.")
    place = serializers.ChoiceField(choices=[place.value for place in Place])
    kind = serializers.CharField(help_text="The `type` of the parameter in a send: text, image, payload …")
    label = serializers.CharField(  # type: ignore[assignment]  # DRF takes declared fields off the class
        help_text="The button's text, or the placeholder in the text."
    )
    name = serializers.CharField(help_text="The `parameter_name` in a send; empty for a numbered parameter.")
    required = serializers.BooleanField()  # type: ignore[assignment]  # likewise
    card = serializers.IntegerField(allow_null=True, help_text="The `card_index` of a carousel's card.")
    button = serializers.IntegerField(allow_null=True, help_text="The `index` of the button.")
    sub_type = serializers.CharField(help_text="The `sub_type` of the button; empty for other places.")
    max_length = serializers.IntegerField(
        allow_null=True, help_text="In characters; the parameters of one text share it."
    )
    example = serializers.CharField(help_text="Meta's example value; empty where it has none.")
    same_as = serializers.CharField(help_text="The key of the parameter whose value this one repeats; else empty.")


class ExampleSerializer(serializers.Serializer[Any]):
    """The `message_data` of a send."""

    name = serializers.CharField()
    language = serializers.CharField()
    components = serializers.ListField(child=serializers.DictField())


class TemplateSerializer(serializers.ModelSerializer[Template]):
    """A template of an account in one language, as Meta has it."""

    account = serializers.CharField(source="account.waba_id", help_text="The WABA id of the account.")
    held = serializers.SerializerMethodField()

    class Meta:
        model = Template
        fields = [
            "id", "account", "name", "language", "template_id", "category", "status", "reason", "quality",
            "parameter_format", "held", "updated_at", "removed_at",
        ]  # fmt: skip
        extra_kwargs = {"template_id": {"label": "Meta's id"}}

    @extend_schema_field(serializers.BooleanField(help_text="Whether a hold stops its messages."))
    def get_held(self, row: Template) -> bool:
        """Whether a hold stops its messages. `holds` of the context has the holds of each row."""
        return bool(self.context["holds"].get(row.pk))


class _WriteSerializer(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
        return strict_internal_value(super().to_internal_value, data, self.fields)


class ChangeSerializer(_WriteSerializer):
    """The changes of a template."""

    category = ChoiceField(choices=CATEGORIES, required=False)
    components = serializers.ListField(
        child=serializers.DictField(), min_length=1, max_length=MAX_COMPONENTS, required=False,
        help_text="All components, in Meta's form, with examples of the parameters.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require a change."""
        if not attrs:
            raise serializers.ValidationError({"components": ["Give components, category or both."]})
        return attrs


class CreateSerializer(_WriteSerializer):
    """A new template."""

    account = StringField(
        required=False, max_length=32, help_text="The WABA id. Default: the account, where there is one alone."
    )
    name = StringField(validators=[NAME])
    language = StringField(validators=[LANGUAGE])
    category = ChoiceField(choices=CATEGORIES)
    components = serializers.ListField(
        child=serializers.DictField(), min_length=1, max_length=MAX_COMPONENTS,
        help_text="In Meta's form, with examples of the parameters.",
    )  # fmt: skip
    parameter_format = ChoiceField(choices=FORMATS, required=False, help_text="Default: POSITIONAL.")


class TemplateDetailSerializer(TemplateSerializer):
    """A template with its components, its parameters and its holds."""

    components = serializers.ListField(child=serializers.DictField(), help_text="In Meta's form.")
    parameters = serializers.SerializerMethodField()
    example = serializers.SerializerMethodField()
    holds = serializers.SerializerMethodField()

    class Meta(TemplateSerializer.Meta):
        fields = [*TemplateSerializer.Meta.fields, "components", "parameters", "example", "holds"]

    @extend_schema_field(ParameterSerializer(many=True))
    def get_parameters(self, row: Template) -> Any:
        """The values that a send gives."""
        return ParameterSerializer(parameters_of(row.components, row.category), many=True).data

    @extend_schema_field(ExampleSerializer)
    def get_example(self, row: Template) -> Mapping[str, Any]:
        """The `message_data` of a send with Meta's example values, or such of their kind, where one is required."""
        parameters = parameters_of(row.components, row.category)
        components = components_with(parameters, example_values(parameters))
        return {"name": row.name, "language": row.language, "components": components}

    @extend_schema_field(HoldSerializer(many=True))
    def get_holds(self, row: Template) -> Any:
        """The holds that stop its messages."""
        return HoldSerializer(self.context["holds"].get(row.pk, []), many=True).data


class RefusalSerializer(serializers.Serializer[Any]):
    """The reason of a refusal."""

    detail = serializers.CharField()
