"""Words that mean "no more marketing" and "marketing again", by language (ISO 639-1).

English follows the CTIA's list for text messages, without those that are common in other talk (`cancel`, `end`,
`quit`, `yes`). A message counts only if it consists of such a word alone.
"""

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


def plain(text: str) -> str:
    """A text as it is compared: lower case, without what stands around it."""
    return " ".join(text.casefold().strip(" \t\r\n.!?*_~\"'").split())


def words(table: dict[str, tuple[str, ...]], languages: list[str], more: list[str]) -> frozenset[str]:
    """The words of these languages and some more."""
    return frozenset(plain(word) for word in (*(w for name in languages for w in table.get(name, ())), *more))
