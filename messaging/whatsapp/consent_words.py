"""Words that mean "no more marketing" and "marketing again", by language (ISO 639-1).

English follows the CTIA's list for text messages, without those that are common in other talk (`cancel`, `end`,
`quit`, `yes`). A message counts only if it consists of such a word alone.
"""

import re
import unicodedata

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


# Spellings that Unicode does not decompose: the wasla alif, the final ya without dots, the bound ta, the kashida.
_ARABIC = str.maketrans({"\u0671": "\u0627", "\u0649": "\u064a", "\u0629": "\u0647", "\u0640": ""})
# Smileys written with a letter or digit, such as :D, ;-P, =3 or xD, which would be left as words.
_SMILEYS = re.compile(r"[:;=]['-]?[dDpPoO03]+(?!\w)|(?<!\w)[8xX]['-]?[dD]+(?!\w)")
# The blocks of Indic scripts, whose marks are vowels and no accents.
_INDIC = range(0x0900, 0x0E00)


def plain(text: str) -> str:
    """A text as it is compared: its letters and digits alone, without case and accents.

    Quotes, brackets, punctuation, emoji, direction marks, full-width forms, blanks and hyphens make no difference
    ("opt-out", "S\u2019abonner", "/STOP!"); another word does.
    """
    text = _SMILEYS.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if _is_kept(letter))
    return "".join(letters).translate(_ARABIC)


def _is_kept(letter: str) -> bool:
    category = unicodedata.category(letter)[0]
    return category in "LN" or (category == "M" and ord(letter) in _INDIC)


def words(table: dict[str, tuple[str, ...]], languages: list[str], more: list[str]) -> frozenset[str]:
    """The words of these languages and some more."""
    return frozenset(plain(word) for word in (*(w for name in languages for w in table.get(name, ())), *more))
