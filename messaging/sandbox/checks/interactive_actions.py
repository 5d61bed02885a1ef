"""The actions of interactive messages: buttons, lists, links, flows, products, orders and calls."""

from __future__ import annotations

from collections.abc import Callable

from .params import Param, check_distinct, found

MAX_BUTTONS, MAX_BUTTON_ID, MAX_BUTTON_TITLE = 3, 256, 20
MAX_SECTIONS, MAX_ROWS = 10, 10
MAX_ROW_ID, MAX_ROW_TITLE, MAX_ROW_DESCRIPTION, MAX_SECTION_TITLE = 200, 24, 72, 24
MAX_PRODUCTS = 30
MAX_FLOW_CTA = 30
MIN_CARDS, MAX_CARDS = 2, 10
MAX_CALL_MINUTES = 43_200
MAX_ADDRESSES = 100


def check_buttons(action: Param) -> None:
    """Reply buttons; neither titles nor ids may repeat."""
    action.check_object("buttons")
    replies = []
    for button in action.need("buttons").elements(1, MAX_BUTTONS):
        button.check_object("type", "reply").need("type").one_of("reply")
        reply = button.need("reply").check_object("id", "title")
        reply.need("id").text(MAX_BUTTON_ID)
        reply.need("title").line(MAX_BUTTON_TITLE)
        replies.append(reply)
    check_distinct([reply.need("title") for reply in replies])
    check_distinct([reply.need("id") for reply in replies])


def check_row_sections(action: Param) -> None:
    """Sections of rows; ids are unique over all sections."""
    action.check_object("button", "sections").need("button").line(MAX_BUTTON_TITLE)
    sections = action.need("sections").elements(1, MAX_SECTIONS)
    rows = _elements_of(sections, "rows", MAX_ROWS)
    _check_section_titles(sections)
    for row in rows:
        row.check_object("id", "title", "description")
        row.need("id").text(MAX_ROW_ID)
        row.need("title").line(MAX_ROW_TITLE)
        if description := row.find("description"):
            description.text(MAX_ROW_DESCRIPTION)
    check_distinct([row.need("id") for row in rows])


def check_product_sections(action: Param) -> None:
    """Sections of products."""
    action.check_object("catalog_id", "sections").need("catalog_id").text()
    sections = action.need("sections").elements(1, MAX_SECTIONS)
    products = _elements_of(sections, "product_items", MAX_PRODUCTS)
    _check_section_titles(sections)
    for product in products:
        product.check_object("product_retailer_id").need("product_retailer_id").text()


def check_call_to_action(action: Param) -> None:
    """A link with a text on its button."""
    parameters = _named(action, "cta_url").need("parameters").check_object("display_text", "url")
    parameters.need("display_text").line(MAX_BUTTON_TITLE)
    parameters.need("url").link()


def check_flow(action: Param) -> None:
    """A flow, by its id or by its name."""
    parameters = _named(action, "flow").need("parameters")
    parameters.check_object(
        *("flow_message_version", "flow_id", "flow_name", "flow_cta"),
        *("flow_token", "flow_action", "flow_action_payload", "mode"),
    )
    parameters.need("flow_message_version").one_of("3")
    parameters.need("flow_cta").line(MAX_FLOW_CTA)
    given = list(found(parameters, "flow_id", "flow_name"))
    if len(given) != 1:
        raise parameters.invalid("must have either flow_id or flow_name")
    for value in (*given, *found(parameters, "flow_token")):
        value.text()
    if mode := parameters.find("mode"):
        mode.one_of("draft", "published")
    _check_flow_action(parameters)


def check_product(action: Param) -> None:
    """One product of a catalogue."""
    action.check_object("catalog_id", "product_retailer_id")
    action.need("catalog_id").text()
    action.need("product_retailer_id").text()


def check_catalog(action: Param) -> None:
    """A whole catalogue, with the product whose picture is shown."""
    parameters = _named(action, "catalog_message").find("parameters")
    if parameters and (product := parameters.check_object("thumbnail_product_retailer_id").find(
        "thumbnail_product_retailer_id"
    )):  # fmt: skip
        product.text()


def check_cards(action: Param) -> None:
    """Cards side by side; each has its place in the row."""
    cards = action.check_object("cards").need("cards").elements(MIN_CARDS, MAX_CARDS)
    if sorted(card.need("card_index").whole(0, MAX_CARDS - 1) for card in cards) != list(range(len(cards))):
        raise action.unusable("must have cards with each card_index from 0 on")
    for card in cards[1:]:
        if _build_of(card) != _build_of(cards[0]):
            raise card.unusable("must have the parts that the other cards have")


def check_country(action: Param) -> None:
    """An address form of a country; the fields of the form differ from country to country."""
    parameters = _named(action, "address_message").need("parameters")
    parameters.check_object("country", "values", "saved_addresses", "validation_errors")
    parameters.need("country").matching("[A-Z]{2}", "must be an ISO country code such as IN")
    for filled in found(parameters, "values", "validation_errors"):
        filled.need_object()
    if saved := parameters.find("saved_addresses"):
        for address in saved.elements(0, MAX_ADDRESSES):
            address.need_object()


def check_order(action: Param) -> None:
    """The bill of an order; what it must hold differs from country to country."""
    _check_order(_named(action, "review_and_pay").need("parameters"))


def check_order_status(action: Param) -> None:
    """What became of an order."""
    _check_order(_named(action, "review_order").need("parameters"))


def check_call(action: Param) -> None:
    """A button that calls the business."""
    parameters = _named(action, "voice_call").find("parameters")
    if parameters is None:
        return
    parameters.check_object("display_text", "ttl_minutes", "payload")
    if display_text := parameters.find("display_text"):
        display_text.line(MAX_BUTTON_TITLE)
    if minutes := parameters.find("ttl_minutes"):
        minutes.whole(1, MAX_CALL_MINUTES)
    if payload := parameters.find("payload"):
        payload.text()


def check_name_only(name: str) -> Callable[[Param], None]:
    """The check of an action that says nothing but its name."""

    def check(action: Param) -> None:
        action.check_object("name").need("name").one_of(name)

    return check


def _named(action: Param, name: str) -> Param:
    action.check_object("name", "parameters").need("name").one_of(name)
    return action


def _check_order(parameters: Param) -> None:
    parameters.need("reference_id").text()
    parameters.need("order").need_object()


def _check_flow_action(parameters: Param) -> None:
    action, payload = parameters.find("flow_action"), parameters.find("flow_action_payload")
    if action:
        action.one_of("navigate", "data_exchange")
    if payload:
        payload.check_object("screen", "data").need("screen").text()
        for data in found(payload, "data"):
            data.need_object()


def _build_of(card: Param) -> tuple[list[str], object, object]:
    """The keys of a card, its type and the type of its header."""
    header = card.value.get("header")
    return sorted(card.value), card.value.get("type"), header.get("type") if isinstance(header, dict) else None


def _elements_of(sections: list[Param], key: str, most: int) -> list[Param]:
    """The rows or products of all sections; the limit is over all of them together."""
    elements = []
    for section in sections:
        elements += section.check_object("title", key).need(key).elements(1, most)
        if len(elements) > most:
            raise section.invalid(f"must have at most {most} {key} with those of the other sections")
    return elements


def _check_section_titles(sections: list[Param]) -> None:
    for section in sections:
        title = section.need("title") if len(sections) > 1 else section.find("title")
        if title:
            title.line(MAX_SECTION_TITLE)
