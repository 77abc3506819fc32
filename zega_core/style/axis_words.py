"""Word lists that the axes of style count. Lower case, with plain apostrophes; each was written down before its effect
was looked at. What is regular in English is made from the stem words by ``forms``."""

from __future__ import annotations

from zega_core.quality.features import word_set

_DOUBLING = word_set(
    """slam grab stab trip slip drop stop step clap snap grip chop skid tug drag rip whip dip plan beg sob rob nod
    grin chat plot rub dig run hit cut swim spin win pin stun hum jog"""
)


def forms(word: str) -> tuple[str, ...]:
    """A word with its regular endings: -s, -ed, -ing. Irregular ones are written down beside it."""
    if word in _DOUBLING:
        longer = word + word[-1]
        return word, f"{word}s", f"{longer}ed", f"{longer}ing"
    if word.endswith("e"):
        return word, f"{word}s", f"{word}d", f"{word[:-1]}ing"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word, f"{word[:-1]}ies", f"{word[:-1]}ied", f"{word}ing"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word, f"{word}es", f"{word}ed", f"{word}ing"
    return word, f"{word}s", f"{word}ed", f"{word}ing"


def _all_forms(table: str) -> frozenset[str]:
    return frozenset(form for word in table.split() for form in forms(word))


ADJECTIVE_ENDS = ("ous", "ful", "less", "ish", "able", "ible", "ive", "like")
NO_ADJECTIVES = word_set(
    """table cable fable stable vegetable handful mouthful spoonful armful unless nevertheless regardless doubtless
    polish finish publish vanish perish punish furnish abolish accomplish distinguish establish relish blemish parish
    english rubbish flourish banish brandish cherish diminish extinguish anguish varnish skirmish motive detective
    native relative archive arrive survive revive believe receive give five live drive dive olive hive captive fugitive
    perspective objective executive representative alternative initiative narrative dislike unlike alike childlike
    syllable parable bible crucible mandible"""
)
ADJECTIVES = word_set(
    """old new young great small little big large long short tall high low deep shallow wide narrow broad thin thick fat
    lean round square flat steep straight crooked curved bent vast huge enormous tiny immense giant slender massive
    white black grey gray red blue green yellow brown pink purple golden silver silvery crimson scarlet pale dark bright
    dim dull faint clear pure murky shadowy gloomy sunny cloudy misty foggy dusky starry moonlit sunlit candlelit
    hot cold warm cool chill chilly icy frozen wet dry damp moist dusty muddy dirty clean filthy greasy sticky slimy
    soft hard rough smooth sharp blunt tender brittle stiff loose tight firm heavy light hollow empty full bare naked
    ragged torn cracked broken rusty rotten mossy stony rocky sandy grassy wooden stone iron brass leaden woollen silken
    velvet leathern glassy loud quiet silent still shrill hoarse soundless low-pitched sweet bitter sour salty stale
    fresh ripe raw scented smoky fragrant foul rank fair fine fierce mild gentle wild savage cruel kind harsh stern grim
    solemn sad merry gay glad happy weary tired sleepy drowsy lonely lone solitary distant remote ancient antique
    modern strange weird queer odd eerie ghostly ghastly ghost-like lovely beautiful pretty handsome ugly hideous plain
    rich poor humble proud noble grand splendid stately magnificent lofty majestic mighty strong weak frail sturdy
    stout slight swift slow quick rapid sudden steady restless motionless still calm troubled stormy windy rainy snowy
    thick-set broad-shouldered grizzled wrinkled weathered withered faded worn battered tattered shabby neat tidy
    crumbling glittering gleaming shining glowing burning blazing smouldering shimmering sparkling rippling drifting
    trembling twisted tangled gnarled scarred hooded veiled sunken jagged bony dim-lit secret hidden open closed blind
    deaf dumb mad sane holy sacred cursed blessed dead alive sick ill wan sallow ruddy rosy swarthy livid leafy
    barren fertile lush sparse crowded desolate dreary bleak cosy snug dank musty airy
    delicate exquisite graceful"""
)
SENSORY = word_set(
    """see saw seen sight gleam gleamed gleaming glitter glittered glittering glimmer glimmered glimmering shimmer
    shimmered shimmering glow glowed glowing shine shone shining sparkle sparkled flash flashed flicker flickered
    flickering shadow shadows shadowy light lights dark darkness bright brightness pale dim colour color coloured
    colored red white black green blue grey gray yellow brown golden gold silver crimson scarlet purple pink amber
    sound sounds sounded hear heard noise noises silence silent quiet loud hush echo echoed echoes hum hummed humming
    hiss hissed hissing buzz buzzed creak creaked creaking crack cracked rattle rattled rustle rustled rustling whisper
    whispered whispers murmur murmured roar roared roaring thunder clang clanged clatter clattered thud thudded tick
    ticked ticking ring rang ringing bell splash splashed drip dripped dripping tap tapped clink jingle moan moaned sigh
    smell smelled smelt smells scent scented stench stink stank reek reeked odour odor perfume fragrance fragrant musty
    smoke smoky smoked incense taste tasted tastes sweet bitter sour salt salty flavour flavor
    touch touched touching warm warmth hot heat cold chill chilly cool icy ice frost damp wet dry soft softness hard
    rough smooth sharp sting stung ache ached aching itch burn burned burnt burning prickle prickled tingle tingled
    sticky slick slimy greasy velvet silk silken wool fur gritty grit tender raw numb heavy weight sweat dust dusty mud
    muddy wind breeze rain mist fog snow flame flames ember embers moonlight sunlight starlight lamplight firelight"""
)
INNER = _all_forms(
    """wonder remember realise realize believe imagine suppose hope wish want desire long yearn fear dread worry
        regret doubt decide consider notice recall recognise recognize love hate loathe despise admire envy pity miss
        trust suspect care expect intend hesitate reflect ponder brood reason guess sense resent forgive enjoy despair
        grieve mourn blush"""
) | word_set(
    """think thinks thought thinking thoughts feel feels felt feeling feelings know knows knew known understand
        understands understood forget forgets forgot forgotten dream dreams dreamed dreamt mean meant mind heart soul
        memory memories conscience courage shame ashamed guilt guilty pride proud anger angry fury furious rage joy
        grief sorrow sad sadness happy happiness unhappy afraid frightened scared terrified anxious anxiety nervous
        relief relieved jealous jealousy lonely loneliness bitter bitterness tenderness affection passion hatred
        despairing embarrassed embarrassment surprised astonished disappointed disappointment confused uncertain
        hopeful hopeless eager calm tired weary self temper mood character nature secret secrets motive"""
)
ACTION = _all_forms(
    """jump leap dash rush race charge lunge dive climb crawl scramble sprint grab snatch seize clutch wrench yank tug
    pull push shove kick punch slap slam smash crash crush strike slash stab hack chop fire shoot blast explode burst
    hurl fling toss toss duck dodge roll spin whirl wheel tumble trip stumble slip skid swerve chase flee escape attack
    fight wrestle struggle grapple hammer pound thrust parry block draw jerk snap whip crack drop land gallop bolt hurry
    turn reach grip drag haul heave vault bound plunge pounce swing spring tackle collide scream shout yell rip scatter
    advance retreat follow hit cut aim load cock reload march ride drive fly swim kill"""
) | word_set(
    """ran threw caught fought fled struck shot leapt sprang swung flung drew drove rode flew swam hit cut slung hurled
    dove burst broke broken tore torn spun hid sped speeding sped slid sliding running shooting fighting throwing
    suddenly instantly quickly fast"""
) - word_set("mean long")
DARK = (
    _all_forms(
        """kill murder die bleed rot decay haunt curse doom torture torment strangle choke drown bury mourn weep sob
        wail scream shriek howl shudder tremble dread fear betray destroy ruin perish poison threaten wither"""
    )
    | word_set(
        """death dead deathly dying blood bloody bloodied corpse corpses grave graves graveyard tomb tombs coffin skull
        skulls bone bones ash ashes dark darkness darker darkened black blackness shadow shadows gloom gloomy night
        midnight grim bleak dreary desolate desolation despair hopeless misery miserable sorrow grief agony pain painful
        wound wounds wounded scar scars terror terrible horror horrible horrid dreadful ghastly hideous evil wicked
        wickedness cruel cruelty sin sins guilt guilty shame hell devil demon demons ghost ghosts spectre phantom
        monster monstrous beast nightmare nightmares madness mad insane fever plague disease sick sickness war ruin
        ruins ruined hollow cold silence lonely loneliness lost victim victims enemy hatred hate vengeance revenge wrath
        fury prison chains noose gallows knife dagger crow crows raven ravens rats worms storm dread doomed cursed
        sinister ominous menace menacing fatal mortal tragedy tragic"""
    )
) - word_set("fears")
LIGHT = _all_forms(
    "laugh chuckle giggle smile grin tease joke sing hum dance cheer play celebrate hug wink beam tickle"
) | word_set(
    """laughter sang sung happy happily happiness joy joyful joyous merry merrily cheerful cheerfully gay glad gladly
        delight delighted delightful pleasant pleasure pleased fun funny amused amusing amusement jolly kind kindly
        kindness friend friends friendly lovely sweet pretty bright brightly sunny sunshine sunlight sun morning spring
        summer flower flowers garden birthday party picnic holiday supper breakfast dinner tea cake cakes pie jam toast
        honey butter biscuit biscuits puppy kitten baby children games game toys gift present surprise hope hopeful
        wonderful marvellous splendid glorious lucky luck warm warmth cosy cozy comfortable safe love loved loving
        dear darling kiss kissed hurrah bravo golden blue sky music song songs welcome thanks thank good better best
        nice silly"""
)
HUMOUR = word_set(
    """laughed laughing laughter chuckled chuckling giggled giggling grinned grinning joke jokes joked joking joker
    funny amused amusing amusement absurd absurdly ridiculous ridiculously silly nonsense comic comical comedy witty
    wit tease teased teasing prank pranks clumsy clumsily oops hilarious ludicrous preposterous fool foolish idiot
    blunder mischief mischievous sheepish sheepishly wry wryly wink winked snort snorted snigger sniggered tickled
    droll jest jests jested jester whimsical cheeky awkward awkwardly embarrassing unfortunately apparently technically
    obviously admittedly frankly trousers sausage sausages pudding cheese hiccup hiccupped belch sneeze sneezed"""
)
ARCHAIC = word_set(
    """thee thou thy thine ye hath hast doth dost art wert wilt shalt canst hither thither whither hence thence whence
    whilst amongst betwixt ere oft nay aye yea verily forsooth methinks perchance mayhap alas lo behold beheld unto upon
    thereof therein thereupon whereupon wherein whereof wherefore hereby herein heretofore henceforth lest nigh yonder
    yon anon naught aught begone betook bade bidden spake slain slay slew smote smitten wrought clad sire maiden damsel
    steed raiment garb visage countenance sepulchre abode dwelt dwelling tarry tarried beseech besought forsake forsook
    forsaken entreat entreated commence commenced endeavour endeavoured vouchsafe 'tis 'twas o'er e'er ne'er whosoever
    whatsoever kinsman kinsmen liege lordship ladyship realm foe foes quoth beget begat bestow bestowed hearken deem
    deemed scarce scarcely thrice twain fain shall whom madam needs must accursed bewitched hallowed hearth"""
) - word_set("needs must art")
CASUAL = word_set(
    """okay ok yeah yep nope hey hi wow guy guys kid kids dude mom mum dad stuff cool gonna wanna gotta kinda sorta
    damn crap shit fuck fucking hell ass bastard jerk weird weirdo pretty really totally maybe whatever anyway like
    bunch couple lots tons huge super awesome crazy stupid dumb freak freaked sucks pissed bucks cops cop tv
    phone phones texted text email laptop screen app car cars truck job boss office coffee beer pizza burger movie bar
    bathroom parking street jeans t-shirt sneakers backpack apartment fridge microwave internet website google guess
    figured"""
) - word_set("hell pretty huge street bar text like")
CONTRACTIONS = frozenset(("n't", "'re", "'ll", "'ve", "'m", "'d"))
MODERN = CASUAL | word_set(
    """computer computers video camera cameras radio television plane airport bus taxi cab elevator plastic nylon
    battery batteries button buttons click clicked switch neon headlights highway traffic garage gas engine engines
    robot robots laser radar rocket satellite online digital data signal scan scanner password keyboard mobile charger
    zip zipped hoodie sweater shorts cellphone voicemail message messages dashboard windshield motel diner cafe
    supermarket mall basement hallway sidewalk closet couch sofa teenage teenager teenagers teacher classroom college
    nurse hospital surgery therapist ambulance siren police detective okay cigarette cigarettes lighter"""
)
"""Everyday words of today that the reference prose is too old for: they do not count as rare."""
