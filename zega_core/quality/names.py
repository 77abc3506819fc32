"""Which capitalised words of many texts are names of persons: told by spelling and neighbours, from no list of names.

A word is taken for a person's name when it is written with a capital inside sentences, hardly ever without one, and
when persons' words stand beside it (Elara said, said Elara, Captain Elara, Elara's) more often than those of places
and things (in Elara, the Elara).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from zega_core.quality.features import word_set

LONGEST = 24
"""Letters of a name; what is longer is no name."""
_NEAR = 24
"""Characters before a word that are looked at: keeps a text without spaces linear."""
_CAPITAL = re.compile(r"(?<![^\W_])(?=[^\W\d_])[^a-z\W\d_][^\W\d_]{1,40}(?:'[^\W\d_]{1,20})?")
_NEXT = re.compile(r"[ ,]{0,2}([a-z]{2,14})\b")
_ENDS = frozenset(".!?…:;\n\"“”„«»([{*_-—–'‘")

_PERSON_VERBS = word_set(
    """said says asked asks replied answered whispered murmured muttered shouted cried called laughed smiled grinned
    nodded shrugged sighed frowned looked glanced stared watched turned knelt stood sat walked ran reached leaned
    stepped thought knew felt wondered remembered wanted tried decided hesitated swallowed blinked stopped paused
    pulled pushed took held picked opened closed lifted raised lowered dropped gripped clutched pressed heard saw
    noticed realized realised breathed exhaled shook moved crouched climbed followed waited listened spoke told
    continued added began gave put set drew came went made kept let"""
)
_HELPERS = word_set("was had did would could has is")
_SPEECH = word_set(
    """said says asked asks replied answered whispered murmured muttered shouted cried called named added told
    continued grumbled snapped growled repeated agreed admitted and with"""
)
_TITLES = word_set(
    """mr mrs ms miss dr doctor sir lady lord madam madame captain lieutenant sergeant colonel major general commander
    inspector detective constable officer professor prof father mother sister brother uncle aunt aunty auntie
    grandmother grandfather grandma grandpa granny king queen prince princess duke duchess count countess baron
    baroness master mistress saint st old young little dame don reverend rev judge agent admiral nurse chief mayor
    emperor empress minister president senator governor bishop sheriff"""
)
_NO_NAMES = _TITLES | word_set(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december god gods goddess christ jesus lord heaven hell satan earth mars venus sun moon
    north south east west english french german spanish italian russian chinese japanese indian american british
    european african irish scottish welsh greek roman latin dutch christian christmas easter halloween
    mum mom mama mommy mummy dad daddy papa nana gran ma pa sire ma'am boss majesty highness grace honour honor
    the a an and but or if in on at of to by for from with as it its he she they we you i me him her us them this that
    these those there here where when what who why how no not yes yet so then now just only even still maybe perhaps
    my your his their our one two three some every each all any nobody somebody everybody someone everyone anyone
    something nothing everything anything oh ah hey well okay ok please thanks thank hello hi good after before while
    until since because though although let do don't did does have has had is are was were be can could will would
    america england scotland ireland wales france germany spain italy russia china japan india africa europe asia
    london paris rome york should shall might must
    i'm i'll i've i'd it's that's there's what's he's she's you're we're they're come go look
    stop wait chapter dear inc tv usa uk internet ai"""
)
_PLACE = word_set("in at into the across near outside a an this that around through beyond of New Fort Mount Port Cape")


class NameSpotter:
    """Collects evidence text by text; ``names`` weighs it when all are in."""

    def __init__(self) -> None:
        self._inside: dict[str, list[int]] = {}
        self._anywhere: dict[str, list[int]] = {}
        self._person: Counter[str] = Counter()
        self._place: Counter[str] = Counter()
        self._behind: dict[str, Counter[str]] = {}

    def add(self, number: int, text: str) -> None:
        """``text`` with plain apostrophes; ``number`` stands for it in the result, and grows."""
        for found in _CAPITAL.finditer(text):
            word = found[0]
            possessive = word.endswith("'s")
            name = word[:-2] if possessive else word
            if not name[0].isupper() or name.isupper() or len(name) > LONGEST or name.lower() in _NO_NAMES:
                continue
            _note(self._anywhere, name, number)
            self._weigh(name, number, text, found, possessive)

    def _weigh(self, name: str, number: int, text: str, found: re.Match[str], possessive: bool) -> None:
        before = text[max(found.start() - _NEAR, 0) : found.start()]
        bare = before.rstrip(" ")
        inside = bool(bare) and bare[-1] not in _ENDS and bare != before
        previous = bare.rpartition(" ")[2].rstrip(",.") if inside or bare.endswith(".") else ""
        titled = previous.lower() in _TITLES and previous[:1].isupper()
        follows = _NEXT.match(text, found.end())
        if inside or titled:
            _note(self._inside, name, number)
        verb = follows[1] if follows else ""
        first = bare.rpartition(" ")[2].lstrip("".join(_ENDS))
        if bare != before and first.istitle() and first.isalpha():
            self._behind.setdefault(name, Counter())[first] += 1
        if titled or previous in _SPEECH or verb in _PERSON_VERBS:
            self._person[name] += 2
        elif inside and previous in _PLACE:
            self._place[name] += 2
        elif possessive or verb in _HELPERS:  # a town has streets, too
            self._person[name] += 1

    def names(self, seen: Mapping[str, int], least: int) -> dict[str, list[int]]:
        """Names in at least ``least`` texts, with the numbers of these. ``seen`` says in how many texts a word stands
        as it is written: a name that is also a word (Rose, Hope) counts only where it is inside a sentence."""
        found: dict[str, list[int]] = {}
        for name, inside in self._inside.items():
            plain = seen.get(name.lower(), 0)
            holders = inside if plain else self._anywhere[name]
            if len(holders) < least or plain > len(inside) or 5 * len(inside) < len(self._anywhere[name]):
                continue
            if self._is_person(name) or self._is_surname(name, len(holders)):
                found[name] = holders
        return found

    def _is_person(self, name: str) -> bool:
        return self._person[name] >= 3 and self._person[name] > 2 * self._place[name]

    def _is_surname(self, name: str, times: int) -> bool:
        """It mostly stands behind persons' names."""
        behind = self._behind.get(name, Counter[str]())
        return 2 * sum(times for first, times in behind.items() if self._is_person(first)) > times


def _note(holders: dict[str, list[int]], name: str, number: int) -> None:
    numbers = holders.setdefault(name, [])
    if not numbers or numbers[-1] != number:
        numbers.append(number)
