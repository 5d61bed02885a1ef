"""Stop and start words as people write them."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from messaging.whatsapp.consent_words import START, STOP, keywords, normal_form, readings

LANGUAGES = list(STOP)
STOPS = keywords(STOP, LANGUAGES, [])
STARTS = keywords(START, LANGUAGES, [])
# The built-in words, written out: each of them with each decoration below.
STOP_WORDS = [
    *("stop", "stopall", "unsubscribe", "opt out", "optout", "stop promotions", "stopp", "abmelden", "abbestellen"),
    *("baja", "alto", "parar", "cancelar suscripción", "arrêt", "arret", "désabonner", "se désabonner", "ferma"),
    *("disiscrivi", "annulla iscrizione", "afmelden", "uitschrijven", "pare", "sair", "descadastrar", "berhenti"),
    *("रोकें", "إيقاف", "توقف"),
]
START_WORDS = [
    *("start", "unstop", "subscribe", "opt in", "optin", "anmelden", "abonnieren", "alta", "suscribir", "abonner"),
    *("s'abonner", "iscrivi", "aanmelden", "inschrijven", "voltar", "cadastrar", "mulai", "शुरू", "ابدأ"),
]


def is_stop(text: str) -> bool:
    return bool(readings(text) & STOPS)


def is_start(text: str) -> bool:
    return bool(readings(text) & STARTS)


def letters_from(first: int) -> Callable[[str], str]:
    """Writes Latin letters in an alphabet that begins at this code point."""
    table = {ord("a") + at: first + at for at in range(26)}
    return lambda word: word.lower().translate(table)


def spaced(word: str) -> str:
    return " ".join(word)


LOOKS: dict[str, Callable[[str], str]] = {
    "as it is": lambda word: word,
    "upper case": str.upper,
    "title case": str.title,
    "letter by letter": lambda word: ".".join(word) if word.isascii() else word,
    "NFD": lambda word: unicodedata.normalize("NFD", word),
    "NFKC": lambda word: unicodedata.normalize("NFKC", word),
    "full width": lambda word: word.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    "bold": letters_from(0x1D41A),
    "script": letters_from(0x1D4EA),
    "circled": letters_from(0x24D0),
    "parenthesised": letters_from(0x249C),
    "squared": letters_from(0x1F130),
    "black circles": letters_from(0x1F150),
    "black squares": letters_from(0x1F170),
    "flag letters": letters_from(0x1F1E6),
    "soft hyphens": "\u00ad".join,
    "zero width spaces": "\u200b".join,
}
AROUND = [
    *('"%s"', "'%s'", "„%s“", "“%s”", "«%s»", "‹%s›", "(%s)", "[%s]", "{%s}", "<%s>", "「%s」", "*%s*", "_%s_", "~%s~"),
    *("```%s```", "/%s", "#%s", "@%s", "-%s-", "- %s", "¡%s!", "¿%s?", "%s.", "%s!!!", "%s…", "%s,", "%s;", "  %s\n"),
    *("\u200b%s\u200d", "\ufeff%s", "\u202a%s\u202c", "\u2067%s\u2069", "\u200e%s\u200f", "\u061c%s", "\u034f%s"),
    *("\u3164%s\u115f", "\u2800%s\u2800", "%s\ufe0f", "\u00a0%s\u3000", "\u2066\u202e%s\u2069"),
    *("%s 🛑", "🛑%s🛑", "%s ✋🏽", "%s 👨\u200d👩\u200d👧", "%s ❤️", "%s 💯", "%s 🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
    *("%s 🇩🇪", "🇧🇷 %s", "%s 🅿️", "%s Ⓜ️", "%s ℹ️", "%s 🆗", "%s 🆘", "%s ㊙️", "%s 🈲", "%s ⭕"),
    *("%s™", "%s®", "%s ©", "%s ℠", "№ %s", "%s ℃", "%s²", "%s ½", "① %s", "%s ➊", "%s 1️⃣", "#️⃣%s", "%s 0⃣"),
    *("%s :)", "%s:-)", "%s :-(", "%s :'(", "%s :D", "%s :-D", "%s;-P", "%s =3", "%s :o", "%s :O", "%s :x", "%s :c"),
    *("%s D:", "%s xD", "%s XDD", "%s 8-)", "%s B-)", "%s 8)", "%s >:(", "%s ;_;", "%s -_-", "%s ^_^", "%s >_<"),
    *("%s T_T", "%s T.T", "%s t-t", "%s o_O", "%s O_o", "%s x_x", "%s u_u", "%s @_@", "%s 0_0", "%s uwu", "%s OwO"),
    *(
        "%s <3",
        "%s<3",
        "<3 %s",
        "%s <33",
        "%s </3",
        "%s \\o/",
        "%s o/",
        "%s ¯\\_(ツ)_/¯",
        "%s ಠ_ಠ",
        "%s ʕ•ᴥ•ʔ",
        "%s ツ",
    ),
    *("%sʼ", "ʻ%sʼ", "ˈ%s", "%s′", "%s´", "`%s´"),
]


@pytest.mark.parametrize("word", STOP_WORDS)
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_stop_word_counts_in_every_lettering(word: str, look: Callable[[str], str]) -> None:
    assert is_stop(look(word))


@pytest.mark.parametrize("word", START_WORDS)
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_start_word_counts_in_every_lettering(word: str, look: Callable[[str], str]) -> None:
    assert is_start(look(word))


@pytest.mark.parametrize("around", AROUND)
def test_a_stop_word_counts_with_every_decoration(around: str) -> None:
    missed = [word for word in STOP_WORDS for look in LOOKS.values() if not is_stop(around % look(word))]
    assert missed == []


@pytest.mark.parametrize("around", AROUND)
def test_a_start_word_counts_with_every_decoration(around: str) -> None:
    missed = [word for word in START_WORDS for look in LOOKS.values() if not is_start(around % look(word))]
    assert missed == []


SPELLED = [
    *(
        "opt-out",
        "Opt Out",
        "OPTOUT",
        "opt–out",
        "opt‑out",
        "opt_out",
        "stop-all",
        "s t o p",
        "S.T.O.P.",
        "un-subscribe",
    ),
    *("desabonner", "se desabonner", "cancelar suscripcion", "CANCELAR SUSCRIPCION", "arre\u0302t", "unsubscrıbe"),
    *("ايقاف", "أيقاف", "إِيقَاف", "إيقـــاف", "إیقاف", "ایقاف", "اءيقاف", "ٱيقاف", "تَوَقَّف!", "توقــف", "ﺗﻮﻗﻒ"),
    *("रोकें", "रोकेँ", "ST🅾️P", "ST⓪P"[:2] + "ⓞp"),
]
SPELLED_START = [
    *("opt-in", "Opt In", "s’abonner", "S´ABONNER", "sʼabonner", "sʻabonner", "s‛abonner", "sabonner", "s＇abonner"),
    *("ابدا", "إبدأ", "ابداء", "اِبدأ", "ابدأ!", "शुरु", "शुरू", "शूरू", "शूरु", "un-stop"),
]


@pytest.mark.parametrize("text", SPELLED)
def test_a_stop_word_counts_in_its_usual_spellings(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize("text", SPELLED_START)
def test_a_start_word_counts_in_its_usual_spellings(text: str) -> None:
    assert is_start(text)


OTHERWISE = [
    *("", "   ", "🛑", "!!!", "™", "T_T", "<3", "1️⃣", "🇩🇪", "stop it", "please stop", "do not stop", "don't stop"),
    *("stop and go", "non-stop", "stop 1", "stop 2 times", "1 stop", "stop :D please", "stop T_T no", "start stop"),
    *("Where is the bus stop?", "stopped", "unstoppable", "I want to unsubscribe from nothing", "stop por favor"),
    *(
        "STOP sending me the blue ones, send red",
        "Stop! In the name of love",
        "stop\nplease",
        "stop. Not you.",
        "stop™ it",
    ),
    *(
        "baja el precio",
        "la baja",
        "parar de fumar",
        "alto ahí",
        "pare com isso",
        "arrêt de bus",
        "sair de casa",
        "توقف عن ذلك",
    ),
    *("cancelar", "end", "quit", "abmeldung", "ⓝⓞⓝⓢⓣⓞⓟ", "🅝🅞🅢🅣🅞🅟", "रोकें मत", "لا توقف", "start the order", "we start"),
    *(
        "start now",
        "alta calidad",
        "ابدأ الآن",
        "शुरू करो मत",
        "a:stop",
        "d stop",
        "x stop",
        "o stop",
        "stop w",
        "t stop t",
    ),
]


@pytest.mark.parametrize("text", OTHERWISE)
def test_what_says_more_or_less_than_a_keyword_is_none(text: str) -> None:
    assert not is_stop(text)
    assert not is_start(text)


@pytest.mark.parametrize("text", ["أبدا", "أبداً", "أبدًا", "ابداً", "أَبَدًا"[:0] + "أبدا!", "«أبداً»"])
def test_arabic_never_is_not_its_start(text: str) -> None:
    assert not is_start(text)


def test_no_word_means_both() -> None:
    assert not STOPS & STARTS


def test_the_built_in_words_are_those_that_are_tested() -> None:
    assert sorted({word for words in STOP.values() for word in words}) == sorted(set(STOP_WORDS))
    assert sorted({word for words in START.values() for word in words}) == sorted(set(START_WORDS))


@pytest.mark.parametrize("decoration", ["!", "🛑", "<3", ":-(", "T_T ", "\u200e", "1️⃣", "™", "🇩🇪", "\u3164"])
def test_four_hundred_characters_of_decoration_make_no_difference(decoration: str) -> None:
    much = decoration * (400 // len(decoration))
    half = decoration * (200 // len(decoration))
    assert is_stop(f"stop {much}")
    assert is_stop(f"{much} stop")
    assert is_start(f"{half} start {half}")


def test_a_longer_text_is_no_keyword() -> None:
    assert not is_stop("stop" + "!" * 500)


@pytest.mark.parametrize("word", ["🛑", "!!!", "", "™", "T_T"])
def test_a_configured_word_without_letters_is_ignored(word: str) -> None:
    assert not keywords(STOP, [], [word])
    assert not readings("🛑🛑") & keywords(STOP, [], [word])


@pytest.mark.parametrize(
    ("own", "text"), [("配信停止", "「配信停止」"), ("Стоп", "СТОП!"), ("ストップ", "ｽﾄｯﾌﾟ"), ("หยุด", "หยุด ✋")]
)
def test_a_word_of_ones_own_counts_in_any_script(own: str, text: str) -> None:
    assert readings(text) & keywords(STOP, [], [own])


@pytest.mark.parametrize(
    ("text", "stops", "starts"),
    [
        ("🇩🇪 s'abonner", False, True),  # not "désabonner"
        ("🇺🇳 subscribe", False, True),  # not "unsubscribe"
        ("🇺🇳 stop", True, False),  # not "unstop"
        ("stop 🇩🇪", True, False),
        ("🇸🇹🇴🇵", True, False),
        ("🇸🇹🇴🇵 🇩🇪", True, False),
    ],
)
def test_flags_beside_a_word_are_decoration(text: str, stops: bool, starts: bool) -> None:
    assert (is_stop(text), is_start(text)) == (stops, starts)


# Letters in brackets, circles and squares, and those of flags.
SYMBOLS = [first + at for first in (0x249C, 0x24D0, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6) for at in range(26)]
DECORATION = st.lists(
    st.sampled_from(
        [
            *"\"'()[]{}<>*_~`.,!?…/#-–— \t\n\u200b\u200d\u200e\u2067\u061c\u3164\ufe0f🛑✋😀«»“”„™®©²½①№℃🆗🅿ⓜℹʼʻ´",
            *(" 1️⃣", " T_T ", " o_O ", " <3 ", " :-( ", " xD ", " :D ", " D: ", " \\o/ ", "🇩🇪", "👍🏽", " ツ "),
        ]
    ),
    max_size=12,
).map("".join)
WORDS = st.sampled_from(STOP_WORDS) | st.sampled_from(START_WORDS)


@given(WORDS, DECORATION, DECORATION, st.sampled_from(list(LOOKS.values())))
@example("stop", "🇩🇪", "🇩🇪", LOOKS["flag letters"])
@example("s'abonner", "🇩🇪", "", str)
def test_any_decoration_of_any_word_makes_no_difference(
    word: str, before: str, after: str, look: Callable[[str], str]
) -> None:
    spelled_in_symbols = not normal_form(look(word).translate({ord("'"): None, **dict.fromkeys(SYMBOLS)}))
    # The German flag and "s'abonner" in such letters spell "désabonner": that is a stop.
    assume(not (word == "s'abonner" and spelled_in_symbols and "🇩🇪" in before))
    text = f"{before} {look(word)} {after}"
    assert (is_stop(text), is_start(text)) == (word in STOP_WORDS, word in START_WORDS)


@given(WORDS, st.sampled_from(["please", "not", "me", "2", "ok", "نعم", "मत", "ᵃ", "五"]), st.booleans(), DECORATION)
def test_another_word_makes_it_no_keyword(word: str, other: str, first: bool, between: str) -> None:
    text = f"{other} {between} {word}" if first else f"{word} {between} {other}"
    # "a anmelden" is the Dutch "aanmelden", written apart.
    assume(not {normal_form(f"{other}{word}"), normal_form(f"{word}{other}")} & (STOPS | STARTS))
    assert not is_stop(text)
    assert not is_start(text)


@given(st.text(max_size=600))
def test_any_text_can_be_read(text: str) -> None:
    assert "" not in readings(text)
