"""Words of consent: "no more marketing", "marketing again", by language (ISO 639-1).

English follows the CTIA's list for text messages, without words that often mean something else (`cancel`, `end`,
`quit`, `yes`). A message counts only if it consists of such a word alone.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

STOP: dict[str, tuple[str, ...]] = {
    "en": ("stop", "stopall", "unsubscribe", "opt out", "optout", "stop promotions"),
    "de": ("stopp", "abmelden", "abbestellen"),
    "es": ("baja", "alto", "parar", "cancelar suscripción"),
    "fr": ("arrêt", "arret", "désabonner", "se désabonner"),
    "it": ("ferma", "disiscrivi", "annulla iscrizione"),
    "nl": ("afmelden", "uitschrijven"),
    "pt": ("parar", "pare", "sair", "descadastrar"),
    "id": ("berhenti",),
    "hi": ("रोकें",),
    "ar": ("إيقاف", "توقف"),
}
START: dict[str, tuple[str, ...]] = {
    "en": ("start", "unstop", "subscribe", "opt in", "optin"),
    "de": ("anmelden", "abonnieren"),
    "es": ("alta", "suscribir"),
    "fr": ("abonner", "s'abonner"),
    "it": ("iscrivi",),
    "nl": ("aanmelden", "inschrijven"),
    "pt": ("voltar", "cadastrar"),
    "id": ("mulai",),
    "hi": ("शुरू",),
    "ar": ("ابدأ",),
}


# Words that have the same letters as one above and another meaning: Arabic "never" beside "start".
OTHER_WORDS = ("أبدا", "أبداً", "ابداً", "أبدًا", "ابدًا")

# A word, and 400 characters of decoration around it.
LONGEST_TEXT = 500

# Spellings that Unicode does not decompose. Arabic: wasla alif, final ya without dots, bound ta, kashida, lone hamza,
# and the Persian and Urdu letters of the same sounds. Hindi: long and short i and u, nasal signs, nukta. Turkish: i.
_SPELLINGS = str.maketrans(
    {
        "\u0671": "\u0627", "\u0649": "\u064a", "\u0629": "\u0647", "\u0640": "", "\u0621": "",
        "\u06cc": "\u064a", "\u06d2": "\u064a", "\u06a9": "\u0643",
        "\u06c1": "\u0647", "\u06be": "\u0647", "\u06d5": "\u0647", "\u06c3": "\u0647",
        "\u0940": "\u093f", "\u0942": "\u0941", "\u0901": "\u0902", "\u093c": "",
        "\u0131": "i",
    }
)  # fmt: skip
# Letters by category that no word consists of: modifier apostrophes and the like, fillers, parts of kaomoji.
_NO_LETTERS = frozenset(
    (*map(chr, range(0x02B9, 0x02F0)), *"\u0294\u0295\u1d25\ua78b\ua78c\u115f\u1160\u3164\uffa0\u06e5\u06e6")
)
# Marks of direction, width and form, which may stand between any two characters.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
_KEYCAPS = re.compile("[0-9#*]\ufe0f?\u20e3")
# No letter or digit on this side; the underscore is decoration.
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"
# Smileys that are written with a letter or digit, which would be left as words.
_SMILEYS = re.compile(
    "|".join(
        (
            rf"[:;=][-'^~]?(?:[dpo03]+|[xscbvlj7]){_AFTER}",  # :D ;-P :'D =3
            rf"(?<!\S)[dpcqo][-'^]?[:;=]{_AFTER}",  # D: c=
            rf"{_BEFORE}[8x]['-]?[dp]+{_AFTER}",  # xD 8D
            rf"{_BEFORE}[8b]-\)|{_BEFORE}[8b]\)\s*$",  # 8-) B)
            rf"<[/\\]?3+{_AFTER}",  # <3 </3
            # T_T o_O x.x; but not the twins of a word that is written letter by letter.
            rf"(?<![^\W_][_.^-]){_BEFORE}([^\W_])[_.^-]+\1{_AFTER}(?![_.^-][^\W_])",
            rf"{_BEFORE}([tuoq0])w\2{_AFTER}",  # uwu
            rf"[\\/]o[\\/]|{_BEFORE}o/{_AFTER}|\\o{_AFTER}",  # \o/ o/
            rf"{_BEFORE}[ツシッ]{_AFTER}",  # ¯\_(ツ)_/¯
        )
    ),
    re.IGNORECASE,
)
# The blocks of Indic scripts, whose marks are vowels and no accents.
_INDIC = range(0x0900, 0x0E00)
# The blocks that hold symbols made of letters or digits.
_SYMBOL_BLOCKS = (*range(0x00A0, 0x0100), *range(0x2000, 0x3400), *range(0x1F100, 0x1F300))
_INFORMATION = 0x2139  # a letter by category
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
# Symbols that stand for a letter: in a bracket, a circle, a square, a black circle, a black square; and raised a and o.
_ENCLOSED = {ord("ª"): "a", ord("º"): "o"} | {
    first + at: letter
    for first in (0x249C, 0x24B6, 0x24D0, 0x1F110, 0x1F130, 0x1F150, 0x1F170)
    for at, letter in enumerate(_ALPHABET)
}
# The letters whose pairs are flags.
_FLAG_LETTERS = {0x1F1E6 + at: letter for at, letter in enumerate(_ALPHABET)}
_SYMBOL_LETTERS = _ENCLOSED | _FLAG_LETTERS
# Symbols that are always decoration: a trade mark sign, a square kilogram, a raised or circled digit.
_DECORATION = {
    code: " "
    for code in _SYMBOL_BLOCKS
    if code not in _SYMBOL_LETTERS and (unicodedata.category(chr(code)) in {"So", "No"} or code == _INFORMATION)
}
_ENCLOSED_CLASS, _FLAG_CLASS = ("".join(map(chr, codes)) for codes in (_ENCLOSED, _FLAG_LETTERS))
_RUNS = re.compile(f"([{_ENCLOSED_CLASS}][{_ENCLOSED_CLASS}\ufe0f]*|[{_FLAG_CLASS}]+)")
# With more runs of such symbols than this, each is decoration or each is letters.
_MAX_RUNS = 30


def readings(text: str) -> frozenset[str]:
    """The normal forms of a message's text, to be looked up in `keywords`; empty for texts that can be no keyword.

    Quotes, brackets, punctuation, emoji, smileys, keycaps, direction marks, full-width and enclosed letters, blanks,
    hyphens, accents and usual spellings make no difference ("opt-out", "S\u2019abonner", "/STOP! T_T"); another word
    does. There are several forms where symbols may be letters of the word or decoration ("stop" and a flag).
    If the plain letters are a built-in word, they are the only one: the flag of Germany and "s'abonner" is not
    "désabonner".
    """
    if len(text) > LONGEST_TEXT or (not text.isascii() and _exact_form(text) in _OTHERS):
        return frozenset()
    pieces = _RUNS.split(text)
    between = [normal_form(piece) for piece in pieces[::2]]
    runs = [normal_form(run.translate(_SYMBOL_LETTERS)) for run in pieces[1::2]]
    if (plain := "".join(between)) in _BUILT_IN:
        return frozenset({plain})
    return frozenset(filter(None, (_joined(between, runs, spelled) for spelled in _spans(len(runs)))))


def _spans(runs: int) -> Iterator[range]:
    """Which neighbouring runs of symbols may spell the word: none, or from one to another."""
    yield range(0)
    if runs > _MAX_RUNS:
        yield range(runs)
        return
    for first in range(runs):
        yield from (range(first, last) for last in range(first + 1, runs + 1))


def _joined(between: Sequence[str], runs: Sequence[str], spelled: range) -> str:
    return "".join(text + (runs[at] if at in spelled else "") for at, text in enumerate(between))


def normal_form(text: str) -> str:
    """A text's letters and digits alone, without case, accents and differences of spelling."""
    text = unicodedata.normalize("NFKC", _KEYCAPS.sub(" ", text).translate(_DECORATION))
    text = _SMILEYS.sub(" ", _INVISIBLE.sub("", text)).casefold()
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if _is_kept(letter))
    return "".join(letters).translate(_SPELLINGS)


def keywords(table: dict[str, tuple[str, ...]], languages: Sequence[str], more: Sequence[str]) -> frozenset[str]:
    """The normal forms of the words of these languages and of some more."""
    words = (word for name in languages for word in table.get(name, ()))
    return frozenset(filter(None, map(_keyword, (*words, *more))))


def _is_kept(letter: str) -> bool:
    category = unicodedata.category(letter)[0]
    return (category in "LN" and letter not in _NO_LETTERS) or (category == "M" and ord(letter) in _INDIC)


def _exact_form(text: str) -> str:
    """A text's letters with their marks."""
    return "".join(letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter)[0] in "LM")


_keyword = cache(normal_form)
_OTHERS = frozenset(map(_exact_form, OTHER_WORDS))
_BUILT_IN = frozenset(_keyword(word) for table in (STOP, START) for words in table.values() for word in words)
