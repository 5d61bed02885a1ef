"""Whatever stands in the address of an admin list, it answers: a page, the way back to one, or a 400."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

pytestmark = pytest.mark.django_db
NASTY = ["\0", "9" * 30, "x'\"%ü"]
LISTS = [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]
# One page of a list as long as any has; further ones differ in nothing.
COMMON = ["q", "o", "p", "e", "id", "id__exact", "pk__in", "id__isnull"]


def parameters(page: Any) -> list[str]:
    """The names of a list's own filters."""
    names = []
    for item in page.list_filter:
        field = item[0] if isinstance(item, tuple) else getattr(item, "parameter_name", item)
        names += [field, f"{field}__exact", f"{field}__isempty"] if isinstance(field, str) else []
    return names


@pytest.mark.slow("loads each list some forty times")
@pytest.mark.parametrize("path", LISTS)
def test_no_lookup_of_a_list_is_a_500(path: str, admin_client: Client) -> None:
    admin_client.raise_request_exception = False
    page = next(page for model, page in admin.site._registry.items() if path == str(model._meta).replace(".", "/"))
    bad = {}
    for name in [*COMMON, *parameters(page)]:
        for value in NASTY:
            answer = admin_client.get(f"/admin/{path}/", {name: value})
            if answer.status_code not in {200, 302, 400}:
                bad[name, value] = answer.status_code
    assert bad == {}


@pytest.mark.parametrize("path", LISTS)
def test_no_id_of_an_object_is_a_500(path: str, admin_client: Client) -> None:
    admin_client.raise_request_exception = False
    ids = ["%00", "9" * 30, "x", "_00", "%ED%A0%80"]
    answers = {pk: admin_client.get(f"/admin/{path}/{pk}/change/").status_code for pk in ids}
    assert {pk: status for pk, status in answers.items() if status not in {302, 400, 403, 404}} == {}


@pytest.mark.parametrize("path", LISTS)
def test_no_action_on_a_wrong_id_is_a_500(path: str, admin_client: Client) -> None:
    admin_client.raise_request_exception = False
    page = next(page for model, page in admin.site._registry.items() if path == str(model._meta).replace(".", "/"))
    bad = {}
    for action in ["delete_selected", *(page.actions or ())]:
        for pk in NASTY:
            answer = admin_client.post(f"/admin/{path}/", {"action": action, "_selected_action": pk})
            if answer.status_code not in {200, 302, 400, 403}:
                bad[action, pk] = answer.status_code
    assert bad == {}


SECRETS = {
    (path, field.name)
    for path, model in ((path, model) for path, model in zip(LISTS, admin.site._registry, strict=True))
    for field in model._meta.concrete_fields
    if any(word in field.name for word in ("secret", "hash", "password")) and not field.name.endswith("_until")
}


def test_there_are_secrets_to_ask_for() -> None:
    assert {("messaging/subscription", "secret"), ("auth/user", "password")} <= SECRETS


@pytest.mark.parametrize("lookup", ["", "__startswith", "__gt", "__regex", "__isnull", "__in"])
@pytest.mark.parametrize(("path", "name"), sorted(SECRETS))
def test_no_list_spells_out_a_secret(path: str, name: str, lookup: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/{path}/", {name + lookup: "0"}).status_code == 400


@pytest.mark.parametrize("query", ["url__startswith=https", "active__exact=1", "pk__in=x", "client__isnull=1"])
def test_a_list_is_filtered_by_what_it_shows(query: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/messaging/subscription/?{query}", follow=True).status_code == 200


@pytest.mark.parametrize(
    ("path", "lookup"),
    [
        ("messaging/message", "text__regex"),
        ("messaging/message", "text__iregex"),
        ("messaging/message", "text__icontains"),
        ("messaging/message", "text__iendswith"),
        ("messaging/message", "peer__iregex"),
        ("messaging/message", "content__body"),
        ("messaging/message", "content__body__regex"),
        ("messaging/message", "at__year"),
        ("messaging/message", "at__year__gt"),
        ("messaging/message", "number__display_phone_number__regex"),
        ("messaging/subscription", "url__regex"),
        ("messaging/subscription", "client__name__regex"),
        ("messaging/subscription", "last_error__icontains"),
        ("monitoring/alert", "summary__search"),
    ],
)
def test_no_list_is_filtered_by_a_slow_or_odd_comparison(path: str, lookup: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/{path}/", {lookup: "1"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "lookup"),
    [
        ("messaging/message", "number__id__exact"),
        ("messaging/message", "number__in"),
        ("messaging/message", "status__in"),
        ("messaging/message", "error_code__isnull"),
        ("messaging/message", "peer__startswith"),
        ("messaging/message", "peer__regex"),
        ("messaging/message", "attention"),
        ("messaging/hold", "resumed_at__isempty"),
        ("messaging/subscription", "url__icontains"),
    ],
)
def test_lists_are_filtered_by_what_their_filters_links_and_searches_compare(
    path: str, lookup: str, admin_client: Client
) -> None:
    answer = admin_client.get(f"/admin/{path}/", {lookup: "1"}, follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("pattern", ["(", "[", "*", "a{9999}", "\\"])
def test_a_pattern_that_is_none_is_no_fault_of_ours(pattern: str, admin_client: Client) -> None:
    answer = admin_client.get("/admin/messaging/message/", {"peer__regex": pattern}, follow=True)
    assert answer.status_code in {200, 400}


def test_the_export_of_a_pattern_that_is_none_is_no_fault_of_ours(admin_client: Client) -> None:
    assert admin_client.get("/admin/messaging/message/export/", {"peer__regex": "("}).status_code == 404
