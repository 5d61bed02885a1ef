"""Stop and start words as people write them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.whatsapp.consent_words import START, STOP, plain, words

LANGUAGES = list(STOP)
STOPS = words(STOP, LANGUAGES, [])
STARTS = words(START, LANGUAGES, [])

WRITTEN = [
    *("stop", "STOP", " Stop. ", "stop!!!", "¡stop!", "¿stop?", "stop…", "stop,", "stop;", "stop :)", "stop:-)"),
    *('"stop"', "'stop'", "„stop“", "“stop”", "«stop»", "‹stop›", "(stop)", "[stop]", "{stop}", "<stop>", "「stop」"),
    *("*stop*", "_stop_", "~stop~", "```stop```", "/stop", "#stop", "@stop", "-stop-", "- stop", "1stop"[1:], "st­op"),
    *("ｓｔｏｐ", "ＳＴＯＰ！", "𝐬𝐭𝐨𝐩", "ⓢⓣⓞⓟ"),
    *("\u200bstop\u200d", "\ufeffstop", "\u202astop\u202c", "\u2067stop\u2069", "\u200estop\u200f"),
    *(
        "stop\ufe0f",
        "stop 🛑",
        "🛑stop🛑",
        "stop ✋🏽",
        "stop 👨‍👩‍👧",
        "stop 🇩🇪",
        "stop :D",
        "stop;-P",
        "stop xD",
        "stop ❤️",
    ),
    *("opt-out", "Opt Out", "OPTOUT", "opt–out", "opt‑out", "opt_out"),
    *("Stopp!", "ABMELDEN", "arrêt", "arret", "ARRÊT", "arre\u0302t", "désabonner", "desabonner", "de\u0301sabonner"),
    *("se désabonner", "Se desabonner.", "cancelar suscripción", "cancelar suscripcion", "CANCELAR SUSCRIPCIÓN"),
    *("baja", "¡Baja!", "annulla iscrizione", "afmelden", "descadastrar", "berhenti", "रोकें", "«रोकें»"),
    *("إيقاف", "ايقاف", "أيقاف", "إِيقَاف", "إيقـــاف", "توقف", "تَوَقَّف!"),
]
OTHERWISE = [
    *(
        "",
        "   ",
        "🛑",
        "!!!",
        "stop it",
        "please stop",
        "do not stop",
        "don't stop",
        "stop and go",
        "non-stop",
        "stop 1",
    ),
    *("Where is the bus stop?", "stopped", "unstoppable", "I want to unsubscribe from nothing", "stop por favor"),
    *("baja el precio", "la baja", "parar de fumar", "توقف عن ذلك", "cancelar", "end", "quit", "abmeldung"),
]
STARTED = [
    *("start", "START!", "(start)", "opt-in", "Opt In", "s'abonner", "s’abonner", "S´ABONNER", "anmelden", "alta"),
    *("ابدأ", "ابدا", "शुरू", "voltar", "mulai", "ｓｔａｒｔ", "start 😀"),
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_stop_word_counts_however_it_is_written(text: str) -> None:
    assert plain(text) in STOPS


@pytest.mark.parametrize("text", OTHERWISE)
def test_what_says_more_or_less_than_a_stop_word_is_no_stop(text: str) -> None:
    assert plain(text) not in STOPS


@pytest.mark.parametrize("text", STARTED)
def test_a_start_word_counts_however_it_is_written(text: str) -> None:
    assert plain(text) in STARTS


def test_no_word_means_both() -> None:
    assert not STOPS & STARTS


EVERY_STOP = sorted({word for by_language in STOP.values() for word in by_language})
AROUND = st.text("\"'()[]{}<>*_~`.,!?…/#-–— \t\n\u200b\u200d\u200e\u2067\ufe0f🛑✋😀«»“”„", max_size=8)


@given(st.sampled_from(EVERY_STOP), AROUND, AROUND, st.sampled_from([str.upper, str.title, str.lower, str]))
def test_decoration_and_case_make_no_difference(word: str, before: str, after: str, case: object) -> None:
    assert plain(before + case(word) + after) in STOPS  # type: ignore[operator]


@given(st.sampled_from(EVERY_STOP), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_the_form_of_unicode_makes_no_difference(word: str, form: str) -> None:
    assert plain(unicodedata.normalize(form, word)) in STOPS  # type: ignore[arg-type]


@given(st.sampled_from(EVERY_STOP), st.sampled_from(["please", "not", "me", "2", "ok", "نعم", "मत"]), st.booleans())
def test_another_word_makes_it_no_stop(word: str, other: str, first: bool) -> None:
    assert plain(f"{other} {word}" if first else f"{word} {other}") not in STOPS
