"""Rate cards from Meta's files."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analytics.costs.rate_card_csv import read_card
from analytics.models import Rate, RateCard
from tests.analytics.costs.factories import LIST, TIERS

pytestmark = pytest.mark.django_db
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples"


def load(tmp_path: Path, text: str, currency: str = "USD") -> None:
    path = tmp_path / "card.csv"
    path.write_text(text, encoding="utf-8")
    call_command("import_rate_card", path, currency=currency, valid_from="2026-10-01")


def test_a_list_has_a_price_for_each_market_and_category_that_has_one(tmp_path: Path) -> None:
    load(
        tmp_path, "USD rates,,,\n" + LIST + "Germany,US$,0.1365,0.055,n/a,\n rest  of africa ,$US,0.02,0.004,0.004,0\n"
    )
    rates = sorted(Rate.objects.values_list("market", "category", "price"))
    assert [(market, category, str(price)) for market, category, price in rates] == [
        ("Germany", "marketing", "0.1365000000"),
        ("Germany", "utility", "0.0550000000"),
        ("Rest of Africa", "authentication", "0.0040000000"),
        ("Rest of Africa", "marketing", "0.0200000000"),
        ("Rest of Africa", "service", "0E-10"),
        ("Rest of Africa", "utility", "0.0040000000"),
    ]


@pytest.mark.parametrize("name", ["Rest of Central and Eastern Europe", "Rest of Central & Eastern Europe"])
def test_the_names_of_a_market_in_metas_file_and_on_its_page_are_one(tmp_path: Path, name: str) -> None:
    load(tmp_path, LIST + f"{name},USD,1,1,1,1\n")
    assert set(Rate.objects.values_list("market", flat=True)) == {"Rest of Central & Eastern Europe"}


def test_tiers_begin_where_the_ones_before_end(tmp_path: Path) -> None:
    load(tmp_path, TIERS + 'Germany,USD,Utility,1,"100,000",0.05\nGermany,USD,Utility,"100,001",-,0.04\n')
    assert list(Rate.objects.order_by("tier_from").values_list("tier_from", "tier_to")) == [
        (0, 100_000),
        (100_000, None),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'no header line with the column "Market"'),
        ("a,b\n1,2\n", 'no header line with the column "Market"'),
        (LIST, "no price"),
        (LIST + "Germany,USD,n/a,,,\n", "no price"),
        ("Market,Currency\nGermany,USD\n", "no column of a category"),
        ("Market,Marketing,Marketing\nGermany,1,1\n", "twice"),
        ("Market,Marketing,Calls\nGermany,1,1\n", 'Column "calls" is not known'),
        (LIST + "Germany,USD,1,1,1,1\nAtlantis,USD,1,1,1,1\n", 'Row 3, column Market: "Atlantis"'),
        (LIST + "Germany,USD,1,cheap,1,1\n", 'Row 2, column Utility: "cheap"'),
        (LIST + "Germany,USD,1,0_05,1,1\n", 'Row 2, column Utility: "0_05" is not a price'),
        (LIST + "Germany,USD,1,\u0660.\u0665,1,1\n", 'Row 2, column Utility: "\u0660.\u0665" is not a price'),
        (TIERS + "Germany,USD,Utility,1,10,1\nGermany,USD,Utility,11,-,n/a\n", "the last tier ends at message 10"),
        (LIST + "Germany,USD,1,-0.1,1,1\n", 'Row 2, column Utility: "-0.1"'),
        (LIST + "Germany,USD,1,NaN,1,1\n", 'Row 2, column Utility: "NaN"'),
        (LIST + "Germany,USD,1,1e9,1,1\n", 'Row 2, column Utility: "1e9"'),
        (LIST + "Germany,USD,1,0.00000000001,1,1\n", "decimal places"),
        (LIST + 'Germany,USD,1,"0,05",1,1\n', 'Row 2, column Utility: "0,05"'),
        (LIST + "Germany,EUR,1,1,1,1\n", 'Row 2, column Currency: "EUR" is not USD'),
        (LIST + "Germany,USD,1,1,1,1\nGermany,USD,1,1,1,1\n", "two prices"),
        (LIST + "Germany,USD,1,1,1,1,1\n", "Row 2 has more cells"),
        (TIERS + "Germany,USD,Parcels,1,-,1\n", 'Row 2, column Category: "Parcels"'),
        (TIERS + "Germany,USD,Utility,one,-,1\n", 'Row 2, column From: "one"'),
        (TIERS + "Germany,USD,Utility,5,-,1\n", "begins at message 5"),
        (TIERS + "Germany,USD,Utility,1,10,1\n", "last tier ends"),
        (TIERS + "Germany,USD,Utility,1,10,1\nGermany,USD,Utility,12,-,1\n", "does not follow"),
        (TIERS + "Germany,USD,Utility,10,1,1\n", 'Row 2, column To: "1"'),
        (TIERS + "Germany,USD,Utility,0,0,1\n", 'Row 2, column To: "0"'),
        (TIERS + f"Germany,USD,Utility,{10**15 + 1},-,1\n", f'Row 2, column From: "{10**15 + 1}"'),
        (TIERS + f"Germany,USD,Utility,1,{'9' * 17},1\n", f'Row 2, column To: "{"9" * 17}"'),
        (TIERS + f"Germany,USD,Utility,{10**15},-,1\n", f"begins at message {10**15}"),
        (
            TIERS + "Germany,USD,Utility,1,10,1\nGermany,USD,Utility,10,-,1\n",
            "after message 10 does not follow",
        ),
        (TIERS + "Germany,USD,Utility,1,10,1\nGermany,USD,Utility,1,-,1\n", "there are two prices from message 1 on"),
        (TIERS + "Germany,USD,Utility,5,-,1\n", "begins at message 5, not 1"),
        (TIERS + "Germany,USD,Utility,1,10,1\n", "the last tier ends at message 10"),
        (LIST + "Germany,USD,10000000,1,1,1\n", 'Row 2, column Marketing: "10000000" is out of range'),
        (LIST + f"{'A' * 70},USD,1,1,1,1\n", f'column Market: "{"A" * 60}" '),
        (f"Market,{'c' * 70}\nGermany,1\n", f'Column "{"c" * 60}" is not known'),
        (f"Market,{'c' * 70},{'c' * 70}\nGermany,1,1\n", f'Row 1: the column "{"c" * 60}" stands there twice'),
        ("title\n\n" + LIST + "\nGermany,USD,1,1,1,1\n\nAtlantis,USD,1,1,1,1\n", "Row 7, column Market"),
        ("Market,Zone,Area\nGermany,1,1\n", 'Column "area" is not known'),
        ("x" * 200_000, "Not a CSV file: field larger than field limit"),
        (LIST + "x" * 200_000, "Not a CSV file: field larger than field limit"),
        ("Market,Currency,Category,From,To,Rate,Note\nGermany,USD,Utility,1,-,1,x\n", 'Column "note" is not known'),
    ],
)
def test_a_wrong_file_is_refused_with_its_row_and_column_and_nothing_is_stored(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(CommandError, match="Nothing was stored") as refused:
        load(tmp_path, text)
    assert problem in str(refused.value)
    assert not RateCard.objects.exists()


@pytest.mark.parametrize(
    ("text", "currency", "rates"),
    [
        (LIST + "\nGermany,USD,1,,,,,\n,,,,,\nIndia,,9999999.9999999999\n", "USD", [
            ("Germany", "marketing", 0, None, "1"), ("India", "marketing", 0, None, "9999999.9999999999"),
        ]),
        (TIERS + "Germany,USD,Utility,1,-,n/a\nIndia,USD,Utility,1,10,-\nIndia,USD,Utility,11,-,\n"
         "Brazil,USD,Utility,1,-,1\n", "USD", [("Brazil", "utility", 0, None, "1")]),
        ("Market,Currency,Marketing\nTürkiye,R$,0.0000000001\n", "BRL", [
            ("Turkey", "marketing", 0, None, "1E-10"),
        ]),
        ("\ufeff MARKET ,Authentication  International,Marketing Lite,\nGermany,2,3,\n", "INR", [
            ("Germany", "authentication_international", 0, None, "2"), ("Germany", "marketing_lite", 0, None, "3"),
        ]),
        ("Market,Category,Tier From,Volume To,Price\nGermany, UTILITY ,0,1_0 0,2\nGermany,utility,101,Unlimited,1\n",
         "USD", [("Germany", "utility", 0, 100, "2"), ("Germany", "utility", 100, None, "1")]),
    ],
    ids=["blank lines", "tiers without a price", "symbols", "spellings", "tiers"],
)  # fmt: skip
def test_a_card_is_read_in_each_of_its_spellings(text: str, currency: str, rates: list[Any]) -> None:
    found = read_card(text.splitlines(), currency).rates
    assert [(one.market, one.category, one.tier_from, one.tier_to, str(one.price)) for one in found] == rates


@pytest.mark.parametrize("text", ["", "eur", "€", "EUR"])
def test_the_currency_of_a_row_may_be_a_symbol_or_nothing(text: str) -> None:
    assert len(read_card(["Market,Currency,Marketing", f"Germany,{text},1"], "EUR").rates) == 1


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="is not UTF-8 text"):
        call_command("import_rate_card", path, currency="USD", valid_from="2026-10-01")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"rates\.csv cannot be read: No such file"):
        call_command("import_rate_card", tmp_path / "rates.csv", currency="USD", valid_from="2026-10-01")


@pytest.mark.parametrize("name", ["example-rate-card.csv", "example-volume-tiers.csv"])
def test_the_examples_can_be_imported(name: str) -> None:
    call_command("import_rate_card", EXAMPLE / name, currency="USD", valid_from="2026-10-01")
    assert Rate.objects.count() > 10


def test_a_file_whose_name_is_no_text_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text(LIST + "Germany,USD,1,,,\n")
    call_command("import_rate_card", path, currency="USD", valid_from="2026-10-01")
    assert RateCard.objects.get().name == "caf\ufffd"
