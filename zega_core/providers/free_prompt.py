"""Reading a prompt that nobody annotated: whose story it is, what it is about and where.

A guess from word lists and word order. It is safe on any text; what it does not find stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from zega_core.catalog import Catalog, Prompt
from zega_core.providers.prose import head_noun, words_of

READ = 2000
"""Characters of a prompt that are looked at."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TOKEN = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’-][A-Za-zÀ-ɏ]+)*|\S")
_PERSONS = _set(
    """actor actress agent apprentice archivist astronaut aunt baker barber bard beggar boy bride brother butcher
    captain carpenter cartographer chef child clerk clown coach collector colonel commander cook courier cousin
    dancer daughter detective diver doctor driver duchess duke emperor engineer explorer farmer father ferryman
    fiddler fisherman florist friend gardener general ghost girl gravedigger groom guard guide healer heir heiress
    herbalist hermit historian hunter husband inspector janitor journalist judge keeper king knight lady lawyer
    librarian lieutenant linguist locksmith lord mage maid maker man mayor mechanic medic merchant messenger
    midwife miller miner monk mother musician navigator neighbour neighbor nephew niece novelist nun nurse officer
    orphan painter passenger pharmacist photographer physicist pilgrim pilot pirate plumber poet policeman postman
    potter priest prince princess prisoner professor programmer puppeteer queen ranger reporter sailor scholar
    scientist scout seamstress secretary sergeant servant shepherd sheriff singer sister smith smuggler sniper
    soldier son sorcerer spy stranger student surgeon surveyor swimmer tailor teacher technician teenager thief
    tourist traveller traveler twin translator undertaker uncle veteran vicar waiter waitress warden warlock weaver
    widow widower wife witch witness wizard woman writer"""
)
_PERSON_ENDINGS = (
    *("keeper", "maker", "man", "woman", "smith", "wright", "seller", "monger", "hunter", "catcher", "mender"),
    *("ist", "eer", "tender", "master", "mistress", "dealer", "reader", "finder", "walker", "cutter", "binder"),
)
_PLACES = {
    "in": """abbey apartment archive attic bakery barn basement bathhouse bedroom bookshop cabin café cafe cave cellar
    cemetery chapel church city clinic corridor cottage courthouse courtyard desert factory fen flat forest garden
    graveyard greenhouse hall harbour harbor hospital hotel house inn jungle kitchen laboratory laundromat library lift
    marsh market mill mine monastery morgue museum office orchard palace park prison restaurant room ruin ruins
    school shop square street studio swamp tavern temple tent theatre theater tomb tower town tunnel valley vault
    village warehouse wood woods workshop""",
    "on": """balcony beach bridge bus coast farm ferry hill ice island moon mountain path pier plane planet platform
    quay road roof rooftop shore ship stage staircase station-platform submarine terrace train""",
    "at": """airport border bus-stop castle checkpoint crossroads dam fair fairground ferry-landing fort gate inn-yard
    lake lighthouse monument observatory outpost port pub river shrine spaceport station well""",
}
_PLACE_OF = {noun: preposition for preposition, nouns in _PLACES.items() for noun in nouns.split()}
_THINGS = _set(
    """album amulet apple axe bag ball band basket battery bell belt blade blanket bone book boot bottle bowl box
    bracelet briefcase brooch brush bucket button cake camera candle cane card carpet cassette chain chair chest
    chip clock cloak coat coffin coin compass contract crown crystal cup dagger diary dice disc document doll drawing
    dress drum egg envelope feather file film flag flask flower flute folder gem glass glove goblet guitar gun hammer
    handkerchief harp hat helmet horn instrument invitation jacket jar jewel journal key kite knife ladder lamp lantern
    ledger lens letter locket manuscript map mask medal memoir message mirror necklace needle note notebook orb package
    page painting paper parcel passport pen pencil phone photo photograph piano picture pipe pistol pocketknife
    postcard portrait potion puppet radio recipe record ribbon rifle ring robe rope rose scarf scroll seed shard shell
    shield shoe shovel skull spear spell-book staff statue stone suitcase sword tablet tape teacup telegram telescope
    ticket torch toy tray trunk typewriter umbrella uniform vase veil vial violin wand watch whistle will"""
)
_DETERMINERS = _set("a an the his her their its my our your one this that every each another")
_SINGULAR = _set("a an one his her this that every each another")
_PREPOSITIONS = _set(
    "in on at inside under beneath aboard behind near beside above below outside within into onto to from across"
)
_STOPS = _set(
    """who whom whose which what when where while why how if because although though until unless since before after
    and or but nor so than then as with without of for by about against between through during over off out up down
    again not no never always only just too very is are was were be been being am has have had do does did can could
    will would shall should may might must it he she they we i you him them us me himself herself themselves there
    here finds find found takes took keeps kept meets meet met comes came goes went gets got makes made sees saw says
    said tells told knows knew gives gave holds held left leaves stood stands sat sits fell falls ran runs woke wakes
    wrote writes read sold sells bought buys brought brings began begins hid hides stole steals broke breaks dug drew
    built sent paid lost loses learns returns discovers must refuses arrives waits wants tries write describe tell
    story scene character dialogue setting piece"""
)
_NEVER_A_PLACE = _set(
    """end morning evening night dark hurry way time day days year years middle moment week month hour afternoon
    beginning case fact love trouble front back name past present future war secret voice hand hands life dream heart
    silence rain wind"""
)
_SHE = _set(
    """woman girl lady queen princess duchess empress mother sister daughter wife widow witch bride aunt niece actress
    heiress nun waitress seamstress midwife grandmother granddaughter"""
)
_HE = _set(
    """man boy lord king prince duke emperor father brother son husband widower wizard groom uncle nephew monk priest
    waiter policeman postman grandfather grandson"""
)
_PRONOUNS = {"she": _set("she her hers herself"), "he": _set("he his him himself")}
_ABSTRACT = _set(
    "love grief war peace hope fear anger death time memory silence loneliness trust betrayal revenge winter summer"
)
_WORN = _set("end way time times day one ones thing things moment middle front back side name rest mouth hand hands")
_NO_NOUN = _STOPS | _DETERMINERS | _PREPOSITIONS | _NEVER_A_PLACE


@dataclass(frozen=True, slots=True)
class _Phrase:
    preposition: str
    words: tuple[str, ...]

    @property
    def head(self) -> str:
        return _singular(self.words[-1].lower())

    @property
    def bare(self) -> str:
        return " ".join((*self.words[:-1], self.words[-1][: len(self.head)]))


def read_prompt(text: str, genre: str) -> Prompt:
    """What the prompt says, as far as a guess from its words goes."""
    text = text[:READ]
    phrases = list(_phrases(text))
    figure = next((phrase.bare for phrase in phrases if _is_person(phrase.head)), "")
    rest = [phrase for phrase in phrases if not _is_person(phrase.head)]
    thing = next((phrase.bare for phrase in rest if phrase.head in _THINGS), "")
    return Prompt("", genre, text, figure, _gender(text, figure), thing, _place(rest))


def topic(text: str, prompt: Prompt) -> str:
    """A word of the prompt that is neither its figure nor its object or place; may be empty."""
    taken = {head_noun(part) for part in (prompt.figure, prompt.object, prompt.place)}
    for phrase in _phrases(text[:READ]):
        if phrase.head not in taken and not _is_person(phrase.head) and phrase.head not in _WORN:
            return f"the {' '.join(phrase.words)}"
    return next((word for word in words_of(text[:READ]) if word in _ABSTRACT and word not in taken), "")


def guess_genre(text: str, catalog: Catalog) -> str:
    """The genre whose name the text has, else the one whose prompts share most words with it."""
    words = set(words_of(text[:READ])) - _NO_NOUN
    flat = f" {' '.join(words_of(text[:READ]))} "
    for genre in sorted(catalog.genres, key=lambda genre: -len(genre.label)):
        if f" {genre.label.lower()} " in flat or f" {genre.key.replace('_', ' ')} " in flat:
            return genre.key
    scores = {genre.key: 0 for genre in catalog.genres}
    for prompt in catalog.prompts:
        scores[prompt.genre] += len(words & set(words_of(f"{prompt.text} {prompt.object} {prompt.place}")))
    return max(scores, key=lambda key: scores[key])


def _phrases(text: str) -> Iterator[_Phrase]:
    """Noun phrases: what follows a determiner or a preposition, up to the last word known as a noun."""
    tokens: list[str] = _TOKEN.findall(text)
    index = 0
    while index < len(tokens):
        lower = tokens[index].lower()
        determined = lower in _DETERMINERS
        if determined or (lower not in _STOPS and lower not in _PREPOSITIONS and _known(_singular(lower))):
            before = tokens[index - 1].lower() if index else ""
            start = index + 1 if determined else index
            words = _noun_words(tokens[start : start + 4], lower in _SINGULAR)
            if words:
                yield _Phrase(before if before in _PREPOSITIONS else "", words)
            index = start + max(len(words), 1) if not determined else start + len(words)
        else:
            index += 1


def _noun_words(tokens: list[str], singular: bool) -> tuple[str, ...]:
    words: list[str] = []
    for token in tokens:
        lower = token.lower()
        if not lower[0].isalpha() or len(token) > 24 or lower.endswith("ly"):
            break
        if lower in _STOPS or lower in _DETERMINERS or lower in _PREPOSITIONS:
            break
        if words and not _known(_singular(lower)) and (lower.endswith("ed") or (singular and _verb_like(lower))):
            break
        words.append(re.sub(r"['’]s$", "", token))
        if token != words[-1]:
            return ()  # "the keeper's daughter": the owner is not the noun
    nouns = [index for index, word in enumerate(words) if _known(_singular(word.lower()))]
    kept = words[: nouns[-1] + 1] if nouns else words[:2]
    return tuple(word if word[:2].isupper() else word.lower() for word in kept)


def _verb_like(word: str) -> bool:
    return word.endswith(("es", "ts", "ds", "ns", "ks", "ls", "ps", "rs", "ws", "gs", "ing")) and len(word) > 3


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and _known(word[:-1]) else word


def _known(word: str) -> bool:
    return word in _THINGS or word in _PLACE_OF or _is_person(word)


def _is_person(word: str) -> bool:
    return word in _PERSONS or (word.endswith(_PERSON_ENDINGS) and len(word) > 5)


def _place(phrases: list[_Phrase]) -> str:
    for phrase in phrases:
        noun = " ".join(phrase.words)
        if phrase.head in _PLACE_OF:
            inside = phrase.preposition in ("in", "on", "at", "inside", "under", "beneath", "aboard", "behind")
            return f"{phrase.preposition if inside else _PLACE_OF[phrase.head]} the {noun}"
        likely = phrase.preposition in ("in", "inside", "beneath", "aboard") and phrase.head not in _THINGS
        if likely and not _NO_NOUN & set(phrase.words):
            return f"{phrase.preposition} the {noun}"
    return ""


def _gender(text: str, figure: str) -> str:
    """What the figure's own word says, else the pronouns that are used most."""
    head = head_noun(figure)
    if head in _SHE or head in _HE or head.endswith(("woman", "man")):
        return "she" if head in _SHE or head.endswith("woman") else "he"
    words = words_of(text)
    she, he = (sum(word in _PRONOUNS[gender] for word in words) for gender in ("she", "he"))
    return "any" if she == he else "she" if she > he else "he"
