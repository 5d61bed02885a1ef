"""Templates are created, edited and deleted at Meta, which the sandbox plays."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.meta_events.template_sync import sync_now
from messaging.models import Account, AuditEntry, Hold, Template
from tests.messaging.message_templates.rows import synced_template
from tests.messaging.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db
PATH = "/messaging/templates"
BODY = {"type": "BODY", "text": "Hi {{1}}, good to see you.", "example": {"body_text": [["Ann"]]}}
EXAMPLE = {
    "body_text_named_params": [{"param_name": "order", "example": "4711"}, {"param_name": "state", "example": "ready"}]
}
SHORTER: dict[str, Any] = {
    "components": [{"type": "BODY", "text": "Your order {{order}} is {{state}}.", "example": EXAMPLE}]
}
WELCOME: dict[str, Any] = {"name": "welcome", "language": "en_US", "category": "UTILITY", "components": [BODY]}


def create(operator: APIClient, **changes: Any) -> Any:
    return operator.post(PATH, {**WELCOME, **changes}, format="json")


def stored(name: str, language: str = "en_US") -> Template:
    return Template.objects.get(name=name, language=language)


@pytest.fixture
def synced(account: Account, sandbox: Sandbox) -> Account:
    """The sandbox's account with its templates; what is changed stays in review."""
    sandbox.post("/_sandbox/settings", {"template_verdict": "PENDING"})
    sync_now(account)
    return account


def is_due(account: Account) -> bool:
    account.refresh_from_db()
    return account.templates_due_at <= timezone.now()


def test_a_created_template_is_stored_as_meta_answers(operator: APIClient, synced: Account) -> None:
    answer = create(operator)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["status"], made["components"], bool(made["template_id"])) == ("PENDING", [BODY], True)
    assert stored("welcome").template_id == made["template_id"]


def test_a_creation_is_audited_and_synced(operator: APIClient, synced: Account) -> None:
    create(operator)
    entry = AuditEntry.objects.get(action="create template")
    assert (entry.who, entry.details) == ("API client operations", {"name": "welcome", "language": "en_US"})
    assert is_due(synced)


def test_a_created_template_is_known_to_the_next_sync(operator: APIClient, synced: Account) -> None:
    create(operator)
    assert (sync_now(synced).new, stored("welcome").status) == (0, "PENDING")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Wel come"}, "name"),
        ({"name": 7}, "name"),
        ({"language": "english"}, "language"),
        ({"category": "NEWS"}, "category"),
        ({"components": "Hi"}, "components"),
        ({"components": []}, "components"),
        ({"components": ["Hi"]}, "components"),
        ({"parameter_format": "ODD"}, "parameter_format"),
        ({"account": "1"}, "account"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_creation_of_a_wrong_form_is_refused_by_field(
    operator: APIClient, synced: Account, changes: dict[str, Any], field: str
) -> None:
    answer = create(operator, **changes)
    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "hello_world"}, "name", "There is already content in this language"),
        ({"components": [{"type": "HEADING"}]}, "components[0].type", "must be one of"),
        ({"components": [{"type": "HEADER", "format": "GIF"}]}, "components[0].format", "must be one of"),
    ],
)
def test_meta_s_refusal_is_passed_on_by_field(
    operator: APIClient, synced: Account, changes: dict[str, Any], field: str, words: str
) -> None:
    before = Template.objects.count()
    answer = create(operator, **changes)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert words in answer.json()[field][0]
    assert (Template.objects.count(), AuditEntry.objects.count()) == (before, 0)


def test_an_account_that_is_full_names_the_account(operator: APIClient, synced: Account, sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"template_limit": 1})
    assert list(create(operator).json()) == ["account"]


def test_one_of_several_accounts_has_to_be_named(operator: APIClient, synced: Account) -> None:
    Account.objects.create(waba_id="88")
    assert list(create(operator).json()) == ["account"]
    assert create(operator, account=synced.waba_id).status_code == 201


def test_an_edit_is_stored_as_meta_has_it_and_audited(operator: APIClient, synced: Account) -> None:
    row = stored("order_update")
    components = [{"type": "BODY", "text": "Your order {{order}} is {{state}} now.", "example": EXAMPLE}]
    answer = operator.patch(f"{PATH}/{row.pk}", {"components": components}, format="json")
    assert (answer.status_code, answer.json()["components"]) == (200, components)
    assert AuditEntry.objects.get(action="edit template").details["fields"] == ["components"]


def test_the_messages_of_an_edited_template_wait_for_its_review(operator: APIClient, synced: Account) -> None:
    row = stored("order_update")
    answer = operator.patch(f"{PATH}/{row.pk}", SHORTER, format="json").json()
    assert (answer["status"], answer["components"], answer["held"]) == ("PENDING", SHORTER["components"], True)
    assert Hold.objects.get().language == "en_US"


def test_the_category_of_a_rejected_template_is_edited_and_of_an_approved_one_not(
    operator: APIClient, synced: Account, sandbox: Sandbox
) -> None:
    row = stored("order_update")
    refused = operator.patch(f"{PATH}/{row.pk}", {"category": "MARKETING"}, format="json")
    assert (refused.status_code, list(refused.json())) == (400, ["category"])
    sandbox.post("/_sandbox/templates", {"name": row.name, "language": row.language, "status": "REJECTED"})
    answer = operator.patch(f"{PATH}/{row.pk}", {"category": "MARKETING"}, format="json").json()
    assert (answer["status"], answer["category"]) == ("PENDING", "MARKETING")


def test_a_second_edit_within_a_day_is_refused_in_meta_s_words(
    operator: APIClient, synced: Account, sandbox: Sandbox
) -> None:
    row = stored("order_update")
    operator.patch(f"{PATH}/{row.pk}", SHORTER, format="json")
    sandbox.post("/_sandbox/templates", {"name": row.name, "language": row.language, "status": "APPROVED"})
    answer = operator.patch(f"{PATH}/{row.pk}", {"components": [BODY]}, format="json")
    assert answer.status_code == 400
    assert "An approved template can be edited once in 24 hours" in answer.content.decode()
    assert stored("order_update").components == SHORTER["components"]


@pytest.mark.parametrize("body", [{}, {"name": "other"}, {"components": 1}])
def test_an_edit_of_nothing_or_of_the_name_is_refused(
    operator: APIClient, synced: Account, body: dict[str, Any]
) -> None:
    answer = operator.patch(f"{PATH}/{stored('order_update').pk}", body, format="json")
    assert answer.status_code == 400


def test_a_deleted_template_is_gone_in_its_language_alone(operator: APIClient, synced: Account) -> None:
    assert operator.delete(f"{PATH}/{stored('order_update').pk}").status_code == 204
    assert (stored("order_update").status, stored("order_update", "en").status) == ("DELETED", "APPROVED")
    sync_now(synced)
    assert (stored("order_update").removed_at is None, stored("order_update", "en").removed_at) == (False, None)


def test_a_deletion_ends_the_hold_and_is_audited(operator: APIClient, synced: Account) -> None:
    row = stored("order_update")
    Hold.objects.create(kind="template", key=row.name, language="en_US", waba_id=synced.waba_id, by="meta")
    operator.delete(f"{PATH}/{row.pk}")
    assert Hold.objects.get().resumed_at is not None
    assert AuditEntry.objects.filter(action="delete template").exists()


def test_a_template_that_meta_no_longer_has_is_a_404_and_synced(operator: APIClient, synced: Account) -> None:
    row = stored("order_update")
    Template.objects.filter(pk=row.pk).update(template_id="999")
    answers = [
        operator.delete(f"{PATH}/{row.pk}").status_code,
        operator.patch(f"{PATH}/{row.pk}", {"category": "UTILITY"}, format="json").status_code,
    ]
    assert (answers, is_due(synced)) == ([404, 404], True)


@pytest.mark.parametrize("facts", [{"template_id": ""}, {"removed_at": "2026-01-01T00:00Z"}])
def test_a_template_that_meta_does_not_have_yet_or_any_more_is_not_changed(
    operator: APIClient, account: Account, facts: dict[str, Any]
) -> None:
    path = f"{PATH}/{synced_template(**facts).pk}"
    answers = [operator.delete(path), operator.patch(path, {"category": "UTILITY"}, format="json")]
    assert [answer.status_code for answer in answers] == [409, 409]


def test_an_account_whose_token_is_not_set_is_a_409_that_names_the_variable(
    operator: APIClient, account: Account
) -> None:
    Account.objects.update(token_name="WA_ACCESS_TOKEN_OTHER")
    answer = create(operator)
    assert (answer.status_code, "WA_ACCESS_TOKEN_OTHER" in answer.json()["detail"]) == (409, True)


def test_a_refused_token_is_a_409_with_the_next_step(operator: APIClient, account: Account, settings: Any) -> None:
    settings.WA_ACCESS_TOKEN = "another"
    answer = create(operator)
    assert (answer.status_code, "manage.py doctor" in answer.json()["detail"]) == (409, True)


def test_meta_that_cannot_be_reached_changes_nothing(operator: APIClient, account: Account, settings: Any) -> None:
    settings.WA_GRAPH_URL = "http://127.0.0.1:9"
    answer = create(operator)
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "WhatsApp cannot be reached; nothing was changed.",
    )
    assert (answer.headers["Retry-After"], Template.objects.count()) == ("5", 0)


def test_a_key_that_is_no_operator_s_changes_nothing(api: APIClient, synced: Account) -> None:
    path = f"{PATH}/{stored('order_update').pk}"
    answers = [create(api), api.patch(path, {"category": "UTILITY"}, format="json"), api.delete(path)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
