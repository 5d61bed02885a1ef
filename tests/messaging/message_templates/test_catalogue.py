"""A send is checked against the templates of its account."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.message_templates import catalogue, check_template, load_templates
from messaging.message_templates.catalogue import clear_template_cache
from messaging.models import Account
from messaging.whatsapp.outbound import InvalidContent
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db
NAME, LANGUAGE = "message_data.name", "message_data.language"


def send(language: Any = "en", name: str = "offer", *parameters: str) -> bool:
    texts = [{"type": "text", "text": each} for each in parameters]
    return check_template(
        "77", {"name": name, "language": language, "components": [{"type": "body", "parameters": texts}]}
    )


@pytest.mark.parametrize("status", ["APPROVED", "PAUSED", "FLAGGED"])
def test_an_approved_or_paused_template_may_be_sent(status: str) -> None:
    synced_template(status=status)
    assert send()


def test_a_language_with_a_policy_is_the_same_language() -> None:
    synced_template()
    assert send({"code": "en", "policy": "deterministic"})


@pytest.mark.parametrize(
    ("facts", "language", "name", "place", "words"),
    [
        ({}, "en", "does_not_exist", NAME, "is not a template of this account"),
        ({}, "xx", "offer", LANGUAGE, "is not one of the template's languages: de, en"),
        ({"status": "REJECTED"}, "en", "offer", NAME, "is not approved: Meta's status of the template is REJECTED"),
        ({"status": "DISABLED"}, "en", "offer", NAME, "is not approved: Meta's status of the template is DISABLED"),
        ({"status": "PENDING"}, "en", "offer", NAME, "is not approved: Meta's status of the template is PENDING"),
        ({"removed_at": "2026-01-01T00:00Z"}, "en", "offer", NAME, "is not a template of this account"),
        (
            {"components": [{"type": "BODY", "text": "{{1}}"}]}, "en", "offer", "message_data.components[0].parameters",
            "must have 1 parameter",
        ),
    ],
)  # fmt: skip
def test_a_send_that_meta_would_refuse_is_refused(
    facts: dict[str, Any], language: str, name: str, place: str, words: str
) -> None:
    synced_template(**facts)
    synced_template(language="de", **{**facts, "components": []})
    with pytest.raises(InvalidContent) as refusal:
        send(language, name)
    assert (refusal.value.field, refusal.value.message[: len(words)]) == (place, words)


def test_nothing_is_known_of_an_account_that_was_never_synced() -> None:
    Account.objects.create(waba_id="77")
    assert not send("xx", "does_not_exist")


def test_the_parameters_of_a_template_that_only_a_webhook_has_named_are_not_checked() -> None:
    synced_template(template_id="")
    assert send("en", "offer", "a", "b")


def test_sends_of_five_seconds_share_one_query() -> None:
    synced_template()
    send()
    with CaptureQueriesContext(connection) as made:
        for _ in range(50):
            send()
    assert len(made) == 0


def test_components_that_are_known_are_not_read_again() -> None:
    synced_template()
    send()
    clear_template_cache()
    with CaptureQueriesContext(connection) as made:
        send()
    assert len(made) == 1


def test_templates_of_two_accounts_are_loaded_together(django_assert_num_queries: Any) -> None:
    for waba_id, name in (("77", "offer"), ("77", "bill"), ("88", "offer"), ("88", "bill")):
        synced_template(name, waba_id=waba_id)
    load_templates([("77", "offer"), ("88", "bill")])
    with django_assert_num_queries(0):
        assert send()
        assert check_template("88", {"name": "bill", "language": "en"})


def test_the_category_of_a_template_says_what_it_needs() -> None:
    code: list[dict[str, Any]] = [{"type": "BODY"}, {"type": "BUTTONS", "buttons": [{"type": "OTP", "text": "Copy"}]}]
    synced_template(category="AUTHENTICATION", components=code)
    with pytest.raises(InvalidContent):
        send()


def test_a_template_that_is_removed_while_it_is_read_is_not_checked() -> None:
    synced_template()

    def removed(run: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("SELECT") and "components" in sql:
            return run(sql.replace("WHERE", "WHERE FALSE AND"), *arguments)
        return run(sql, *arguments)

    with connection.execute_wrapper(removed):
        assert send("en", "offer", "a")


def test_the_cache_of_parsed_components_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MAX_CACHED", 2)
    monkeypatch.setattr(catalogue, "_needs", {})
    known = []
    for name in ("one", "two", "three"):
        synced_template(name)
        send("en", name)
        known.append(len(catalogue._needs))
    assert known == [1, 2, 1]


def test_other_components_are_taken_over() -> None:
    row = synced_template()
    send()
    row.components = [{"type": "BODY", "text": "{{1}}"}]
    row.updated_at = row.updated_at.replace(year=2030)
    row.save()
    clear_template_cache()
    with pytest.raises(InvalidContent):
        send()


def test_a_send_is_checked_although_another_thread_empties_the_memory_at_that_moment() -> None:
    synced_template(components=[{"type": "BODY", "text": "{{1}}"}])
    assert send("en", "offer", "a")
    clear_template_cache()
    synced_template(language="de")

    def emptied(run: Any, sql: str, *arguments: Any) -> Any:
        if "components" in sql:  # of the new language alone
            catalogue._needs.clear()
        return run(sql, *arguments)

    with connection.execute_wrapper(emptied), pytest.raises(InvalidContent):
        send("en", "offer", "a", "b")


def test_the_template_of_another_account_is_another_one() -> None:
    synced_template()
    Account.objects.create(waba_id="88", templates_synced_at="2026-01-01T00:00Z")
    with pytest.raises(InvalidContent):
        check_template("88", {"name": "offer", "language": "en"})
