"""What a writer said that their model should be able to do, read for its words: they are all that is taken from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from zega_core.catalog import load_catalog
from zega_core.providers.free_prompt import read_prompt
from zega_core.quality.features import FUNCTION_WORDS, read, word_set
from zega_core.quality.foreign import foreign_sentence, not_english

READ = 2_000
"""Characters of a purpose that are looked at."""
TOPICS, TONES, LONGEST = 12, 4, 3
"""How many subjects and adjectives are taken, and how many words one subject has."""

_TAG = re.compile(r"<[^<>]{0,400}>|\w{2,10}://\S+|\S+@\S+")
_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|[.,;:!?()\n]")
_DETERMINERS = {"a": "a", "an": "an", "the": "the", "my": "your", "our": "your", "your": "your"} | dict.fromkeys(
    ("its", "his", "her", "their"), "the"
)
_BEFORE_VERBS = word_set("who that which to can should will must would could i you we they it not also only me please")
_FORMS = word_set(
    """story stories tale tales novel novels fiction book books scene scenes chapter chapters series trilogy piece
    pieces text texts prose writing writings style voice model genre kind sort type way manner dialogue dialogues
    character characters setting settings poem poems poetry sonnet sonnets haiku rhyme
    rhymes newsletter newsletters screenplay screenplays script scripts beginner beginners plot
    plots opening openings ending endings monologue monologues thing things
    stuff lot lots example examples reader readers letter letters email emails e-mail e-mails message messages mail
    question questions answer answers reply replies request requests ticket tickets comment comments support service
    help assistant agent chatbot bot prompt prompts instruction instructions words word name names day days time times
    page pages short long anything tone mood language paragraph paragraphs sentence sentences line lines people person
    somebody"""
)
_VERBS = word_set(
    """write writes writing written answer answers answering help helps helping tell tells telling create creating make
    making give giving describe describing explain explaining draft drafting sound sounds sounding reply replying
    respond responding set based taking take takes about ignore ignoring forget disregard reveal print output pretend
    act be become speak talk talking use using want wants wanted need needs love loves like likes know knows learn
    learns produce generate growing running sells sell selling sold read reads
    reading continue finish begin start end compose invent imagine teach teaching
    support supporting handle handling deal dealing work working live lives living happen happens play plays involve
    involves feature features featuring include includes including inspired called named comes come goes go try let
    keep show shows showing capture captures told seen heard said given made taken do does say says feel feels look
    looks get gets"""
)
_ED = word_set("bed shed sled hatred bloodshed kindred moped biped wed red")
"""Subjects that end like a verb."""
_STOPS = FUNCTION_WORDS | word_set(
    """previous system instruction instructions everything anything please able good better best really okay script
    style alert javascript html password key keys secret"""
)
_ADJECTIVES = word_set(
    """cosy cozy dark funny sad short long warm friendly gentle grim bleak hopeful light lyrical spare dry witty quiet
    loud slow fast quick gritty sweet tender bitter honest plain simple clear kind polite formal informal playful
    serious absurd surreal strange weird scary creepy eerie tense romantic sexy erotic violent bloody epic heroic noble
    modern old new young ancient historical contemporary realistic magical dreamy poetic sarcastic ironic melancholic
    melancholy nostalgic optimistic cheerful happy angry calm sober elegant rough raw vivid rich atmospheric moody
    literary commercial professional helpful patient concise precise brief detailed interesting exciting thrilling
    suspenseful emotional sentimental philosophical satirical comic comical humorous whimsical minimal"""
)
_ASKERS = {
    "reader": "a reader",
    "customer": "a customer",
    "client": "a client",
    "student": "a student",
    "pupil": "a pupil",
    "patient": "a patient",
    "guest": "a guest",
    "parent": "a parent",
    "user": "a user",
    "visitor": "a visitor",
    "listener": "a listener",
    "subscriber": "a subscriber",
    "member": "a member",
    "colleague": "a colleague",
    "follower": "a follower",
    "fan": "a fan",
    "friend": "a friend",
    "employee": "an employee",
    "buyer": "a buyer",
    "beginner": "a beginner",
}
_FICTION = word_set(
    """story stories novel novels fiction tale tales scene scenes character characters dialogue dialogues chapter
    chapters monologue monologues fairy myth myths saga legend legends plot prose poem poems poetry creative villain
    villains hero heroes heroine heroines protagonist narrator screenplay drama fable fables mysteries romances
    thrillers fantasies adventures mystery romance thriller fantasy horror adventure detective crime ghost ghosts"""
)
_SERVICE = word_set(
    """customer customers client clients support ticket tickets email emails e-mail e-mails mail product
    products billing order orders faq helpdesk help-desk blog newsletter tutor tutoring teach students pupils
    patients answer answers answering reply replies replying respond question questions advice business
    company shop store platform software app website manual documentation marketing sales recipes recipe
    support service colleagues employees subscribers members onboarding refund refunds complaint complaints
    assistant chatbot"""
)
_GENRE_WORDS = {
    "sci_fi": ("sci-fi", "science fiction", "scifi", "space opera", "cyberpunk", "dystopia", "dystopian", "dystopias"),
    "mystery": ("mystery", "mysteries", "whodunit", "whodunits", "detective", "detectives", "crime", "sleuth"),
    "dark_fantasy": ("dark fantasy", "grimdark", "dark fantasies"),
    "fantasy": ("fantasy", "fantasies", "fairy tale", "fairy tales", "sword and sorcery"),
    "horror": ("horror", "ghost story", "ghost stories", "gothic"),
    "romance": ("romance", "romances", "love story", "love stories", "romantic comedy"),
    "adventure": ("adventure", "adventures", "swashbuckler", "expedition"),
    "thriller": ("thriller", "thrillers", "spy", "spies", "espionage", "heist"),
}
_NAMES_OF_GENRES = frozenset(name for names in _GENRE_WORDS.values() for name in names)
_GENRE_FORMS = word_set(
    "mystery mysteries whodunit whodunits fantasy fantasies horror romance romances comedy comedies"
) | (word_set("adventure adventures thriller thrillers opera"))


@dataclass(frozen=True, slots=True)
class Purpose:
    """``topics`` are subjects as a sentence can use them ("a lighthouse village", "your blog"); ``tones`` are
    adjectives ("cosy"); ``figure`` and ``place`` are a person and a place ("in the lighthouse village") among them.
    ``fiction`` is False where it asks for something else; ``asker`` is who would ask then. All may be empty."""

    topics: tuple[str, ...] = ()
    tones: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    figure: str = ""
    place: str = ""
    fiction: bool = True
    asker: str = "somebody"


@lru_cache(maxsize=256)
def read_purpose(text: str) -> Purpose:
    """Any string is accepted. Of one that is not English only the genres are taken: the grammar's sentences are."""
    cut = text[:READ] if len(text) <= READ else text[:READ].rpartition(" ")[0]
    plain = _TAG.sub(" ", cut.replace("’", "'"))
    flat = f" {' '.join(_TOKEN.findall(plain.lower()))} "
    genres = _genres(flat)
    piece = read(plain)
    if not_english(piece) or any(foreign_sentence([word.lower() for word in words]) for words in piece.tokens):
        return Purpose(genres=genres)
    words = flat.split()
    topics, tones = _subjects(plain)
    prompt = read_prompt(plain[:400], "")
    own = " ".join(topics).lower()
    return Purpose(
        topics=topics,
        tones=tones,
        genres=genres,
        figure=prompt.figure if prompt.figure and prompt.figure.lower() in own else "",
        place=prompt.place if _is_one(prompt.place) and prompt.place.split(" the ", 1)[-1].lower() in own else "",
        fiction=_is_fiction(words),
        asker=next((_ASKERS[one] for word in words if (one := word.removesuffix("s")) in _ASKERS), "somebody"),
    )


def _genres(flat: str) -> tuple[str, ...]:
    found: list[str] = []
    for key, names in sorted(_GENRE_WORDS.items(), key=lambda one: one[0] != "dark_fantasy"):
        hit = [name for name in names if f" {name} " in flat]
        for name in hit:
            flat = flat.replace(f" {name} ", " . ")
        found += [key] if hit else []
    return tuple(genre.key for genre in load_catalog().genres if genre.key in found)


def _is_one(place: str) -> bool:
    """ "The towns as it is" is no English."""
    return not place.endswith("s") or place.endswith("ss")


def _is_fiction(words: Sequence[str]) -> bool:
    """By the words that only a purpose of one kind has: which are more, or come first."""
    fiction, service = ([at for at, word in enumerate(words) if word in known] for known in (_FICTION, _SERVICE))
    return len(fiction) >= len(service) or bool(fiction and fiction[0] < service[0])


def _subjects(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    topics, tones = dict[str, None](), dict[str, None]()
    for determiner, words in _runs(_TOKEN.findall(text)):
        while words and _says_how(words[-1]):
            words.pop()
        while words and words[-1].lower() in _ADJECTIVES:
            tones[words.pop().lower()] = None
        if words and words[-1].lower() in _FORMS | _GENRE_FORMS:
            if " ".join(words).lower() not in _NAMES_OF_GENRES:
                tones |= dict.fromkeys(word.lower() for word in words[:-1] if word.lower() in _ADJECTIVES)
            continue
        kept = words[-LONGEST:]
        if kept:
            determiner = determiner if len(kept) == len(words) or determiner not in ("a", "an") else "the"
            topics[" ".join([*filter(None, [determiner]), *kept])] = None
    kept_topics = [topic for topic in topics if topic.removesuffix("s") not in _ASKERS]
    return tuple(kept_topics[:TOPICS]), tuple(tones)[:TONES]


def _says_how(word: str) -> bool:
    """ "Haunted" of "tales haunted by guilt" is no subject."""
    return word.endswith("ed") and not word.endswith("eed") and word not in _ED


def _runs(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Runs of words that say something, each with the determiner before it, without the verbs that they begin with."""
    determiner, words, verb = "", list[str](), False
    for token in [*tokens, "."]:
        lower = token.lower()
        says = 2 < len(token) <= 24 and lower not in _STOPS and not lower.endswith("ly")
        if says and not words and (verb or lower in _VERBS):
            verb = False
        elif says and lower not in _VERBS:
            words.append(token if _is_name(token, tokens) else lower)
        else:
            if words:
                yield determiner, words
            determiner, words, verb = _DETERMINERS.get(lower, ""), [], lower in _BEFORE_VERBS


def _is_name(token: str, tokens: Sequence[str]) -> bool:
    """A capital that is not only that of the beginning."""
    return not token.islower() and token != tokens[0] and not all(one.isupper() for one in tokens if one.isalpha())
