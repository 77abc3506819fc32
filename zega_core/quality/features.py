"""What can be counted in a short piece without a model: words, sentences, speech and senses.

Texts are looked at up to ``MAX_CHARS``; no element asks for a tenth of that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

MAX_CHARS = 12_000
_WORD_CHARS = 60
"""More of a word is never looked at: what is remembered of words stays small, whatever comes."""


def word_set(table: str) -> frozenset[str]:
    return frozenset(table.split())


FUNCTION_WORDS = word_set(
    """a about above across after again against ago all almost along already also although always am among an and
    another any anyone anything are around as at away back be because been before behind being below beneath beside
    between beyond both but by came can cannot come could did do does done down during each either else enough even
    ever every everyone everything few first for from get go gone got had has have having he her here hers herself him
    himself his how i if in inside into is it its itself just last less like made make many may me might mine more most
    much must my myself near neither never no nobody none nor not nothing now of off often on once one only onto or
    other others our ours out outside over own perhaps put quite rather said same say says shall she should since so
    some someone something soon still such than that the their theirs them then there these they thing this those
    though three through till to too toward towards two under until up upon us very was we well were what when where
    whether which while who whom whose why will with within without would yet you your yours yourself i'm i'd i'll i've
    don't didn't it's can't won't isn't wasn't couldn't wouldn't you're that's he's she's there's"""
)

# Fields of concrete, sensory words. A word counts as concrete if it is in any of them; a prompt
# word also counts as touched when the piece uses two other words of its field (gun: loaded, bullet)
_FIELDS = """
sea ship boat sail wave tide harbour shore deck anchor rope sand salt oar mast gull ferry ferryman
  river water captain sailor dock quay lake raft island pier net hull coast beach swim drown flood
gun bullet load trigger shot shoot barrel pistol rifle powder aim holster fire cartridge safety
sword knife blade axe spear shield armour bow arrow dagger wound blood stab cut cutlass scar soldier
house room door window wall floor stair roof kitchen corridor hall chair table bed lamp lock key gate
  curtain shelf drawer cupboard cellar attic porch hearth bench carpet threshold latch hinge landing
forest tree leaf branch root bark moss pine oak wood thorn bramble path birch grove seed grass fern
flower garden petal rose bloom weed orchard vine stem soil dig spade hedge
animal dog cat horse wolf bird crow raven owl fox hound bear snake rat spider moth bee fish crab deer
  goat sheep cow mule feather wing claw paw tail fur hoof beak tortoise shell dragon beast insect fly
hand finger thumb palm wrist arm elbow shoulder neck throat chest rib knee foot toe ankle heel skin
  face eye ear nose mouth lip tooth tongue jaw chin cheek brow hair beard bone skull breath fist back
rain snow ice wind storm fog mist frost cloud thunder lightning sky weather hail puddle drizzle gale
  winter summer autumn cold wet heat freeze
fire flame smoke ash ember candle lantern torch match burn spark soot coal lamp lamplight wick tallow
sun moon star dawn dusk night noon light shadow dark glow gleam glitter shine ray beam midnight
food bread butter salt soup meat cheese apple orange sugar tea coffee wine beer whisky cup plate bowl
  spoon knife pot kettle oven bake cook eat drink taste honey onion pepper bottle glass jar egg cake
cloth coat boot shoe glove hat scarf shirt sleeve collar button pocket dress skirt cloak hood belt
  ring thread needle wool silk linen leather lace ribbon apron veil trouser wear uniform bag
stone rock iron steel copper brass silver gold tin lead bronze rust brick marble clay glass slate
  chain nail hammer wire pebble dust mud gravel diamond coin jewel
city street road bridge market shop stall square alley pavement tram train bus car station stop crowd
  tower town village mill inn wheel cart carriage wagon ticket platform traffic map seat
book paper page letter ink pen pencil desk read write word print library envelope stamp map draw
  handwriting margin note string label parcel package
school class teacher bell chalk desk register pupil lesson child miss blackboard
church cathedral altar pew pray saint candle priest cross font bell nave choir grave coffin tomb
  funeral dead ghost corpse churchyard bury pilgrim
machine engine wheel gear clock watch spring tick metal pipe valve motor screw switch wire pump lever
  screen computer button computer circuit battery power percent fan radio light shut
space ship star planet hull airlock orbit pilot captain engine dome suit oxygen moon station crew cat
  rocket reactor gravity beacon robot android
police detective murder body clue witness thief steal crime inspector warrant prison judge alibi
  evidence hang poison suspect case secret clue footprint lie
spell witch wizard magic curse rune potion dragon crown king queen throne castle knight prince
love kiss marry heart wedding bride husband wife letter dance married ring hand lover
family mother father mum mom dad sister sis brother daughter son child wife husband uncle aunt grandmother baby home
jewel jewellery jewelry gem pearl ring brooch necklace earring bracelet watch clasp
doctor nurse hospital wound fever bandage needle blood bed sick
money coin gold pay toll price debt sell buy purse bank merchant trade customer shop owe
mountain hill valley cave cliff ridge stone snow climb peak slope canyon desert dune jungle ruin camp tent
sing song music fiddle drum piano violin dance note tune bell whistle choir voice
memory remember forget name past forgot dream
tool hammer saw chisel adze plane bench workshop nail file yard boatyard timber plank repair mend work
map chart coast country border margin quay ink draw drawn paper compass cape route survey land
"""

_SENSES = word_set(
    """red black white green blue grey yellow brown pale bright crimson scarlet amber purple pink golden dim bitter
    sweet sour salty smoky damp wet dry warm hot cold chill icy sharp blunt rough smooth soft hard sticky greasy dusty
    muddy rusty rotten stale fresh hollow cracked ragged crooked broken heavy thin thick narrow wide loud quiet shrill
    hoarse hum hiss clang clatter crack creak rattle rustle whisper murmur shout scream cry groan moan sigh snap thud
    tap knock ring rasp scrape drip splash roar buzz click clink thump smell stink scent reek stench odour taste touch
    grip grasp clutch press push pull tug drag lift throw drop fold twist tear scratch rub stroke shiver tremble sweat
    ache sting itch burn swallow chew spit cough sniff blink stare glance squint peer nod shrug kneel crouch crawl
    climb stumble limp lean bend stoop turn run step walk slip slide pour spill stain swing hang tie knot wrap wipe
    sweep scrub bolt kick strike beat slam swell burst breathe bark naked bare barefoot tall silence sound echo noise
    colour"""
)

_ABSTRACT = word_set(
    """feel feeling emotion love hate fear hope joy sorrow despair truth beauty freedom destiny fate courage strength
    journey purpose meaning soul spirit life reality idea thought thing sense important amazing incredible beautiful
    wonderful terrible special unique perfect really very truly deeply extremely completely totally experience
    situation moment matter fact reason"""
)
_ABSTRACT_ENDS = ("ness", "tion", "sion", "ity", "ment", "ism", "ance", "ence", "ship", "hood")

_WORN = re.compile(  # of the text in lower case
    r"\b(?:tapestry|testament to|kaleidoscope|symphony of|beacon|ethereal|bustling|bittersweet|newfound|unspoken"
    r"|shivers? (?:ran )?(?:down|up)|(?:down|up) (?:her|his|my|their) spine|little did \w+ know|only just beginn"
    r"|could(?:n't| not) help but|(?:hung|hangs|hanging) (?:\w+ )?in the air|heavy in the air|palpable|labyrinth"
    r"|danc(?:ed|ing) (?:across|in|on|over|through)|secrets? whisper|whispers? of|depths? of (?:her|his)"
    r"|human spirit|painted the sky|from within|true strength|heart (?:pounded|raced|skipped)|pounding heart"
    r"|breath (?:she|he|i) (?:didn't|hadn't|did not)|let out a breath|time (?:seemed to )?st(?:an|oo)d still"
    r"|dark and stormy|blood ran cold|deafening silence|silence was deafening|sent chills|eyes? sparkl|twinkl"
    r"|a mix of|mixture of (?:fear|awe|sadness)|sense of (?:unease|dread|wonder|purpose|peace|foreboding)"
    r"|steeled (?:her|him)self|the weight of (?:the|her|his)|unbeknownst|at the end of the day"
    r"|calm before the storm|needle in a haystack|quiet as a mouse|white as a (?:sheet|ghost)|once upon a time"
    r"|happily ever after|everything changed|never be the same|delv(?:e|ing)|ever[- ]present|not just a \w+"
    r"|more than just|was(?:n't| not) just)"
)
TELLING = re.compile(
    r"\b(?:was|were|felt|feels|is|am|feeling) (?:so |very |really |extremely |incredibly |quite |deeply |too )*"
    r"(?:sad|happy|angry|scared|afraid|nervous|excited|lonely|jealous|depressed|anxious|surprised|furious|upset"
    r"|worried|terrified|amazing|beautiful|nice|good|bad|great|scary|interesting|emotional|devastated|confused)\b"
    r"|\b(?:felt|full of|filled with|overcome (?:with|by)) (?:an? )?(?:(?:deep|great|sudden|sense of) )?"
    r"(?:joy|gratitude|grief|sadness|anger|fear|relief|hope|love|despair|loneliness|panic|guilt|shame|peace)\b",
    re.IGNORECASE,
)
PADDING = word_set("very really quite rather somewhat actually basically simply truly totally literally just")

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_BREAK = re.compile(r"[.!?…][\"')\]*_]{0,4}\s+(?=[^a-z\s])")
_TITLE = re.compile(r"\b(Mr|Mrs|Ms|Dr|St|Prof|Capt|Lt|Sgt|Rev)\.(?=\s)")
_QUOTED = re.compile(r'"[^"\n]*(?:"|$)', re.MULTILINE)
_SINGLE = re.compile(r"(?:(?<=\s)|(?<=[—–(])|^)'(?=\S)(.{1,600}?[,.!?…—–])'(?=[\s)—–]|$)", re.MULTILINE)
_SCRIPT = re.compile(r"[ \t]*(?:[-—–]\s*(?=\S)|\*{0,2}[A-Z][\w .'-]{0,30}\*{0,2}:\*{0,2}\s+)")
_MARKS = str.maketrans("“”„«»‘’‛ʼ\u00a0", '"""""\'\'\'\' ', "\r\ufeff\u200b")
_WRAPPED = re.compile(r"(?<=[\w,;:—–-])\n(?=[a-z])|(?<=[^\n]{60}[\w,;])\n(?=\S)")
_UNDOUBLE = re.compile(r"([bdgmnprt])\1$")
_MAKERS = ("mak", "man", "keep", "work", "smith")
_ENDS = ("iness", "ness", "ings", "ied", "ies", "ing", "eds", "ers", "ed", "ly", "es", "er", "s")


@dataclass(frozen=True, slots=True)
class Piece:
    """A text taken apart once; every rule reads from this."""

    text: str  # clipped, stripped, with plain quotes
    narration: str  # the same without what is between quotes
    words: tuple[str, ...]  # lower case, in order
    tokens: tuple[tuple[str, ...], ...]  # as written, one tuple per sentence
    lines: tuple[str, ...]  # not empty
    spoken_lines: int
    spoken_words: int
    stems: tuple[str, ...]  # of the content words, in order
    worn: tuple[str, ...]  # worn phrases, as found
    clipped: bool


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word with common endings taken off ("memories", "memory" -> "memor"); lower case in."""
    word = word.removesuffix("'s")
    for end in _ENDS:
        if word.endswith(end) and len(word) - len(end) >= (5 if end in ("er", "ers") else 3):
            word = _UNDOUBLE.sub(r"\1", word[: -len(end)])
            break
    return word[:-1] if len(word) > 3 and word[-1] in "eyi" else word


def _fields() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for line in re.sub(r"\n\s+", " ", _FIELDS).strip().splitlines():
        stems = {stem(word) for word in line.split()}
        for one in stems:
            table.setdefault(one, set()).update(stems)
    return {one: frozenset(stems) for one, stems in table.items()}


FIELDS = _fields()
_CONCRETE = frozenset(FIELDS) | {stem(word) for word in _SENSES}
_VAGUE = frozenset(stem(word) for word in _ABSTRACT)


def read(text: str) -> Piece:
    """Take any string apart. Never raises."""
    text = text.strip()
    clipped = len(text) > MAX_CHARS
    plain = plain_marks(text[:MAX_CHARS])
    lines = tuple(line for part in _WRAPPED.sub(" ", plain).split("\n") if (line := part.strip()))
    plain = "\n".join(lines)
    tokens = tuple(
        words
        for line in lines
        for part in _BREAK.split(_TITLE.sub(r"\1", line))
        if (words := tuple(word[:_WORD_CHARS] for word in _WORD.findall(part)))
    )
    words = tuple(word.lower() for sentence in tokens for word in sentence)
    spoken, spoken_words = _speech(plain, lines)
    return Piece(
        text=plain,
        narration=_QUOTED.sub(" ", plain),
        words=words,
        tokens=tokens,
        lines=lines,
        spoken_lines=spoken,
        spoken_words=min(spoken_words, len(words)),
        stems=tuple(stem(word) for word in words if word not in FUNCTION_WORDS and len(word) > 2),
        worn=tuple(_WORN.findall(plain.lower())),
        clipped=clipped,
    )


def plain_marks(text: str) -> str:
    """The text with straight double quotes, and without what cannot be seen; otherwise as it came."""
    text = text.translate(_MARKS)
    if '"' not in text and "'" in text and len(_SINGLE.findall(text)) >= 2:
        text = _SINGLE.sub(r'"\1"', text)  # British single quotes
    return text


def words_of(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _speech(text: str, lines: Sequence[str]) -> tuple[int, int]:
    """Lines in which somebody speaks, and the words spoken."""
    if '"' in text:
        said = " ".join(_QUOTED.findall(text))
        return sum('"' in line for line in lines), len(words_of(said))
    scripted = [line for line in lines if _SCRIPT.match(line)]
    if len(scripted) < 2:
        return 0, 0
    return len(scripted), sum(len(words_of(line)) - 1 for line in scripted)


def moving_ttr(words: Sequence[str], window: int = 50) -> float:
    """Moving-average type-token ratio, 0..1 (Covington & McFall 2010): free of text length."""
    window = min(window, len(words))
    if not window:
        return 0.0
    starts, total, last = len(words) - window + 1, 0, dict[str, int]()
    for place, word in enumerate(words):  # in how many windows it is the first of its kind
        since = max(last.get(word, -1) + 1, place - window + 1)
        if since < starts and since <= place:
            total += min(place, starts - 1) - since + 1
        last[word] = place
    return total / (window * starts)


def repeated_share(words: Sequence[str], size: int = 3) -> float:
    """Share of the runs of ``size`` words that had already occurred, 0..1."""
    runs = len(words) - size + 1
    if runs < 1:
        return 0.0
    return 1 - len(set(zip(*(words[i:] for i in range(size)), strict=False))) / runs


def unevenness(lengths: Sequence[int]) -> float:
    """Standard deviation of the sentence lengths over their mean, 0 upwards; prose is near 0.6."""
    if len(lengths) < 2:
        return 0.0
    mean = sum(lengths) / len(lengths)
    return sqrt(sum((n - mean) ** 2 for n in lengths) / len(lengths)) / mean


def concrete_and_vague(piece: Piece) -> tuple[int, int]:
    """How many words name what can be seen, heard or touched, and how many only name ideas."""
    concrete = sum(one in _CONCRETE for one in piece.stems)
    vague = sum(one in _VAGUE for one in piece.stems)
    ends = sum(len(w) > 6 and w.endswith(_ABSTRACT_ENDS) for w in piece.words)
    return concrete, vague + ends


def touched(prompt_stems: Sequence[str], piece: Piece) -> tuple[list[str], list[str]]:
    """The prompt's stems found in the piece (or as part of a longer word), and those only near."""
    have = set(piece.stems)
    starts: dict[str, list[str]] = {}
    for one in have:
        starts.setdefault(one[:4], []).append(one)
    direct = [p for p in prompt_stems if p in have or _related(p, starts.get(p[:4], ()))]
    near = [p for p in prompt_stems if p not in direct and len((_field(p) - {p}) & have) >= 2]
    return direct, near


@lru_cache(maxsize=20_000)
def _field(stem_: str) -> frozenset[str]:
    """The field of a word, or of what it is made of: a mapmaker's is that of maps."""
    parts = [stem_, *(part for end in _MAKERS if (part := stem_.removesuffix(end)) != stem_)]
    parts += [part for i in range(4, len(stem_) - 2) for part in (stem_[:i], stem_[-i:])]
    return next((FIELDS[part] for part in parts if part in FIELDS), frozenset())


def _related(stem_: str, others: Sequence[str]) -> bool:
    """Ferry and ferryman, watch and watchmaker: one begins with the whole of the other; light is no lighthouse."""
    return len(stem_) >= 4 and any(
        o.startswith(stem_) or (len(o) >= 4 and len(stem_) - len(o) <= 3 and stem_.startswith(o)) for o in others
    )
