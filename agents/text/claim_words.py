"""The words of a claim by which two claims are compared: what it is about, which event, under which condition.

In seven languages at once: a passage is too short to say its language for certain.
"""

from __future__ import annotations

import re

from agents.text.stemming import stem

_STOP_WORDS = (
    # English
    "a an the and or but of in on at to for from by with as is are was were be been being has have had it its this that these"
    " those their they he she his her we you i there which who whom whose what when where while than then so also only"
    " just still now already about around roughly some nearly almost approximately over under more less most least per each"
    " every all both other another after before during until since into out up down off can could may might will would shall"
    " should must do does did if because however according said says say reported reports reach reached stood stands lies lie"
    " counted count total record new expected estimated average mean typical typically rate number figure value amount"
    " compared year years month later earlier today currently down one guide claims once takes"
    # German
    " der die das den dem des ein eine einer eines einem einen und oder aber von vom im in an am auf zu zum zur für aus mit bei"
    " nach vor seit bis über unter als wie ist sind war waren wird werden wurde wurden worden sein hat haben hatte hatten es er"
    " sie wir ihr ihre sein seine seiner dies diese dieser dieses dort da dann so auch nur noch schon jetzt etwa rund"
    " circa ca knapp gut fast mehr weniger pro je um sich man kann können soll sollen muss müssen dass wenn weil jedoch laut"
    " demnach lag liegt lagen liegen beträgt betrug betragen erreicht erreichte erreichten neue neuer neuen jahr jahre jahren"
    " zahl anteil wert durchschnitt durchschnittlich mittlere mittel heute derzeit zahlen zahlt insgesamt gibt"
    # French
    " le la les l d un une des du de et ou mais à au aux en dans sur par pour avec sans chez entre depuis jusque que qui dont où"
    " ce cet cette ces il elle ils elles on se s est sont était étaient été être sera seront a ont avait fut n y son sa ses leur"
    " leurs plus moins environ près selon aussi encore déjà désormais chaque tous toutes tout nouveau nouvelle nouveaux compte"
    " comptait atteint élève moyenne moyen total an ans année années mois auprès"
    # Spanish
    " el los las lo un una unos unas y o pero al del con sin por para entre desde hasta según sobre que quien cuyo donde"
    " este esta estos estas ese esa su sus se es son era eran fue fueron ha han había ser será serán está están estaba más menos"
    " cerca ya aún también cada todos todas todo nuevo nueva sitúa alcanza cifra media medio año años meses"
    # Italian
    " il lo gli i uno dei degli delle della dello dell nel nella nei nelle sul sulla dal dalla alla allo agli alle ai con senza"
    " per tra fra da che chi cui dove questo questa questi queste suo sua suoi sue si è sono era erano stato stata stati state"
    " ha hanno aveva sarà più meno circa oltre quasi anche ancora già ogni tutti tutte tutto nuovo nuova conta medio"
    " media anno anni mesi"
    # Dutch
    " het een en of maar van aan op voor door uit bij tot om over onder naar met zonder sinds volgens dat wie waar"
    " deze dit zijn haar hun er is was waren wordt worden werd werden heeft hebben had hadden zal zullen nog al ook nu elk elke"
    " alle meer minder ongeveer bijna ruim telt gemiddeld gemiddelde jaar jaren maanden"
    # Portuguese
    " os as um uma uns umas e ou mas ao aos à às em no na nos nas do da dos pelo pela com sem por entre até"
    " seu sua seus suas se são foi foram tem têm tinha será serão mais menos cerca já ainda também cada todos novo nova média"
    " médio ano anos meses"
)  # fmt: skip
STOPS = frozenset(_STOP_WORDS.split())

# Events that happen once: "Rents rose in 2023" and "Rents rose in 2024" do not contradict each other.
_EVENT_WORDS = (
    "opened founded built completed published released collapsed ends ended begins began starts started effect born died"
    " signed launched ran introduced adopted approved invented discovered deadline fire closed established passed expires"
    " inaugurated abandoned abolished demolished"
    " eröffnet gegründet gebaut fertiggestellt veröffentlicht endet endete beginnt begann kraft brach geboren"
    " gestorben unterzeichnet eingeführt brand abgeschafft beschlossen verabschiedet erfunden entdeckt schließt geschlossen"
    " einsturz startet startete erschien erscheint eingeweiht betrieb"
    " inauguré ouvert ouvre ouvrit fondé construit achevé publié commence commença finit signé lancé né mort adopté vigueur fermé"
    " découvert inventé créé"
    " inauguró inaugurado abrió abierto fundó fundado construido terminó publicado publicó empezó comenzó firmado firmó lanzado"
    " nació murió aprobado aprobó vigor cerró cerrado descubierto creado"
    " inaugurato aperto aprì fondato costruito completato pubblicato iniziò finì firmato lanciato nato morto"
    " approvato vigore chiuso scoperto"
    " geopend opende open opgericht gebouwd voltooid gepubliceerd begon eindigt ondertekend gelanceerd geboren"
    " overleden aangenomen gesloten ontdekt"
    " abriu aberto construído concluído começou terminou assinado lançado nasceu morreu fechou fechado descoberto criado"
)
EVENTS = frozenset(map(stem, _EVENT_WORDS.split()))

# Of two claims one of which is under the first condition and one under the second, both may be true.
_OPPOSITES = (
    ("before vor avant antes prima voor", "after nach après después dopo na depois"),
    ("with mit avec con met com", "without ohne sans sin senza zonder sem"),
    (
        "next coming nächsten nächstes kommenden kommendes prochain prochaine próximo próxima prossimo prossima volgend",
        "last previous past letzten letztes vorigen vergangenen dernier dernière passé pasado pasada scorso scorsa vorig passado",
    ),
    (
        "wants aims plans target targets goal forecast ziel soll sollen geplant objectif vise prévu objetivo meta"
        " previsto obiettivo doel gepland",
        "today currently heute derzeit aktuell aujourd'hui actuellement hoy actualmente oggi vandaag hoje",
    ),
    (
        "",
        "not no never nobody none nicht kein keine keinen nie niemand pas jamais aucun aucune nunca ninguno ninguna nessuno mai"
        " niet geen nooit não nenhum",
    ),
)
_POLES = {
    word: (pair, pole)
    for pair, poles in enumerate(_OPPOSITES)
    for pole, words in enumerate(poles)
    for word in words.split()
}
NEGATION = (len(_OPPOSITES) - 1, 1)

_SOURCE = r"(?:according\sto|as\sreported\sby|laut|nach\sangaben|nach|selon|d['’]après|según|secondo|stando\sa|volgens|segundo)"
_ARTICLE = (
    r"(?:the|an?|der|des|dem|den|die|das|von|vom|einer|le|la|les|l['’]|un|une|el|los|las|una|il|lo|gli|i|het|een|de|o|os|a|as|um"
    r"|uma|du|del|della|do|da|van|of)"
)
_SPEECH = (
    r"(?:said|says?|t(?:old|ells?)|reports?|reported|found|finds|claims?|claimed|added|wrote|writes|estimates?|announced|notes?|stated"
    r"|teilte|teilt|mitteilt|mitteilte|meldete|meldet|berichtet|berichtete|sagte|sagt|schreibt|schrieb|erklärte|zeigt"
    r"|a\sdéclaré|déclare|affirme|indique|annonce|précise|explique|estime|rapporte"
    r"|dijo|dice|afirma|afirmó|asegura|aseguró|señala|señaló|indica|indicó|anuncia|informó|explicó"
    r"|ha\sdetto|dice|afferma|spiega|comunica|riferisce|sostiene"
    r"|zei|zegt|meldt|meldde|schrijft|aldus|laat\sweten"
    r"|disse|diz|afirmou|anunciou|segundo)"
)
_ATTRIBUTIONS = (
    re.compile(rf"^{_SOURCE}\s[^,#~]+,\s", re.IGNORECASE),
    re.compile(rf",\s{_SOURCE}\s[^,#~]+(?:,|$)", re.IGNORECASE),
    re.compile(r",?\s(?:according to|as reported by)\s[^,#]+", re.IGNORECASE),
    re.compile(r"^according to\s[^,#]+,\s", re.IGNORECASE),
    re.compile(
        rf"\s(?:laut|nach\sangaben|selon|según|volgens|segundo)(?:\s{_ARTICLE})*\s\w+(?:\s{_ARTICLE}+\s\w+)?(?=\s)",
        re.IGNORECASE,
    ),
    re.compile(rf",\s(?:(?!which|who|and\b)[^,#~]{{2,60}}\s)?{_SPEECH}(?:\s[^,#~]*)?$", re.IGNORECASE),
    re.compile(
        r"^[^,:#]{2,80}\b(?:says?|said|notes?|claims?|reports?|found|finds|advised|estimates?|announced)\s(?:that\s)?(?=\w)",
        re.IGNORECASE,
    ),
    re.compile(r"^[^,:#~]{2,80}\s(?:that|que|che|dat)\s", re.IGNORECASE),
    re.compile(r"^[^:#]{2,80}:\s"),
    re.compile(r",\sso\s[^,#]+$", re.IGNORECASE),
    re.compile(r"^[^,#]{2,60},\sdass\s", re.IGNORECASE),
)
_NUMBERED_SIGN = re.compile(r"[#~]")


def without_attribution(template: str) -> str:
    """``template`` without who says it. Figures are ``#0#``, dates ``~``: a part with one of them stays."""
    values = _NUMBERED_SIGN.findall(template)
    for pattern in _ATTRIBUTIONS:
        shorter = pattern.sub(" ", template, count=1).strip()
        if _NUMBERED_SIGN.findall(shorter) == values:
            template = shorter
    return template


def conditions(words: set[str]) -> frozenset[tuple[int, int]]:
    """The conditions that ``words``, in lower case, name: the pair of opposites, and which of the two."""
    return frozenset(_POLES[word] for word in words & _POLES.keys())


def are_opposite(one: frozenset[tuple[int, int]], other: frozenset[tuple[int, int]]) -> bool:
    """Whether one claim is under a condition that is the opposite of the other's, or only one of them is negated."""
    if (NEGATION in one) != (NEGATION in other):
        return True
    return any(
        (pair, 1 - pole) in other and (pair, pole) not in other for pair, pole in one if (pair, 1 - pole) not in one
    )
