"""Word lists that several measures count. Each was written down before its effect was looked at."""

from __future__ import annotations

import re

from zega_core.quality.features import word_set

IDIOM = re.compile(  # of the text in lower case
    r"\b(?:bat out of hell|hearts? (?:was |were )?in (?:her|his|my|their) (?:mouth|throat)|heard? a pin drop"
    r"|good as gold|time was of the essence|(?:felt|seemed) like an eternity|rock and a hard place"
    r"|blood (?:turned to ice|froze)|li(?:fe|ves) flash(?:ed)? before|for dear life|better safe than sorry"
    r"|(?:blink|twinkling) of an eye|sigh of relief|silver lining|all's well that ends|sle(?:pt|ep) like a (?:log|baby)"
    r"|crack of dawn|with open arms|from ear to ear|like the plague|tip of the iceberg|in the nick of time"
    r"|dead as a doornail|busy as a bee|light as a feather|butterflies in (?:her|his|my) stomach|cloud nine"
    r"|raining cats and dogs|last but not least|edge of (?:her|his|my) seat)\b"
)

EMOTION = word_set(
    """fear joy love hate anger sad sadness happy happiness grief hope despair lonely loneliness pain hurt cry tears
    scared afraid terrified nervous excited worried smile laugh proud shame guilt relief"""
)
CONNECTIVE = word_set(
    """however therefore meanwhile suddenly finally eventually then afterwards instead besides moreover furthermore
    nevertheless otherwise because although unless while after before until when"""
)
SAYING = word_set("said asked replied answered whispered shouted muttered yelled cried murmured called told")
GRAND = word_set(  # the vocabulary of model-written prose
    """tapestry testament whispered whispers dance danced symphony delicate intricate shimmering ethereal bustling
    vibrant gentle silent ancient forgotten echoed echoes echo lingered lingering woven weaving embrace solace serene
    hue hues kaleidoscope resonate journey unspoken newfound boundless realm tender quiet heart hearts soul souls light
    shadows golden glow hum faint weight silence"""
)
PAST = word_set("was were had did said went came")
PRESENT = word_set("is are has does says goes am")
FIRST = word_set("i me my mine myself i'm i'd i'll i've")
SECOND = word_set("you your yours yourself you're you'll you'd you've")
HE = word_set("he him his himself he's he'd he'll")
SHE = word_set("she her hers herself she's she'd she'll")
THEY = word_set("they them their theirs themselves we us our ours ourselves they're we're they'd we'd we'll they'll")
IT = word_set("it its itself it's")
PRONOUN_STARTS = word_set("i he she they it we")
SCENIC_STARTS = word_set("as with in despite")
