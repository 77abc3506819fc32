"""Words by which a passage shows where it is set, who is in it, when, in what mood and of what genre. Each list was
written down before its effect was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PLACES = _set(
    """abbey airport alley apartment arcade arena attic bakery balcony ballroom bar barn barracks basement
    bathroom battlefield bay beach bedchamber bedroom boat boathouse bookshop bridge bus bunker cabin cafe
    café camp canteen canyon carriage castle cathedral cave cavern cell cellar cemetery chamber chapel church
    churchyard city classroom clearing cliff clinic cloister club coach coast cockpit corridor cottage
    courtroom courtyard cove crypt deck desert diner dock docks dormitory drawing-room dungeon elevator
    engine-room estate factory farm farmhouse field fields ferry forest forge fort fortress galley garage
    garden gardens garret gate glade graveyard greenhouse grove gymnasium hall hallway hangar harbour harbor
    heath hill hills hillside hospital hostel hotel house hut inn island jail jungle kitchen laboratory lagoon
    lake landing lane larder laundry library lift lighthouse lobby lodge manor market marsh marshes meadow
    mill mine monastery moor moors morgue motel mountain mountains museum nursery office orchard palace pantry
    parlour parlor park passage path pavement pier plain plains platform playground porch port prison pub
    quarry quay ranch refectory restaurant ridge river road roof room ruins school sea ship shop shore
    sitting-room stable stables staircase stairs stairway station store street streets studio study swamp
    tavern temple tent terrace theatre theater tomb tower town trail train tunnel vault veranda vicarage villa
    village vineyard ward warehouse waterfront wharf wood woods workshop yacht yard airlock spaceship starship
    planet"""
)

FIGURES = _set(
    """admiral agent angel apprentice archer artist assassin aunt baker barber baron beggar bishop blacksmith
    boatman boy bride brother butcher butler captain carpenter child clerk coachman colonel constable cook
    count countess cousin cowboy daughter detective doctor dragon driver duchess duke elder emperor engineer
    father ferryman fisherman gardener general gentleman ghost giant girl governess grandfather grandmother
    groom guard guide hermit horseman host hunter husband innkeeper inspector judge king knight lady landlady
    landlord lawyer lieutenant lord magician maid major master mayor mechanic merchant messenger midwife
    miller minister miner monk monster mother musician neighbour nephew niece nun nurse officer orphan painter
    pilot pirate poet policeman porter postman preacher priest prince princess prisoner professor queen robot
    sailor schoolmaster scientist secretary sergeant servant sheriff shepherd sister soldier son stranger
    student surgeon tailor teacher thief traveller uncle vicar villager waiter waitress widow wife witch
    wizard woman man"""
)

NO_THINGS = (
    PLACES
    | FIGURES
    | _set(
        """thing things way time times day days night nights moment moments hour hours minute minutes second
        seconds year years week weeks month months morning evening afternoon noon midnight dawn dusk summer
        winter spring autumn end beginning middle side sides part parts rest kind sort lot bit number deal
        piece pair case fact point matter question answer reason idea thought mind heart soul life death love
        world man men woman women people person body head face eyes eye hand hands arm arms foot feet leg legs
        finger fingers shoulder shoulders voice voices word words name place places sound noise silence air
        light dark darkness shadow sight look glance smile laugh sense feeling business subject course use
        account sake manner means turn chance doubt right left top bottom front back edge corner length
        hundred thousand dozen couple few others other one first last next same whole half effect attention
        opinion occasion expression attitude instant distance direction conversation situation truth story
        letter's present past future tone breath sigh tears tear lips mouth hair cheek cheeks forehead neck
        chest knee knees skin blood step steps knowledge power strength attempt effort notion habit character
        nature state sort evening's remark remarks view midst center centre tip heap land country sky ground
        slope forefront utmost fourth third second tops pupils stir wear spill rail ebb pace sounds noises
        noise roar whisper chill nose ear ears breast throat heel heels tongue teeth jaw tooth neck wrist
        elbow palm palms brows lungs bosom stomach waist tail nostrils features beard generations natures
        lives bodies mass degree pile inch welfare talk friend friends companion companions friendship world
        earth circumstances presence absence amount cause result purpose interest trouble pleasure pain fear
        hope joy grief anger"""
    )
)
"""What is no object that a request could name."""

TIMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "at night": _set("night midnight moonlight moonlit starlight lamplight stars moon darkness"),
        "at dawn": _set("dawn daybreak sunrise daylight cockcrow"),
        "in the evening": _set("evening dusk twilight sunset supper nightfall"),
        "in the morning": _set("morning breakfast forenoon"),
        "in the rain": _set("rain rained raining drizzle downpour drenched puddles umbrella"),
        "in the snow": _set("snow snowed snowing snowflakes blizzard frost frozen ice"),
        "in a storm": _set("storm thunder lightning gale tempest hurricane squall"),
        "in fog": _set("fog mist foggy misty haze"),
    }
)

MOODS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "frightening": _set(
            """afraid fear feared terror terrible terrified horror horrible dread dreadful scream screamed shriek
            shuddered trembling trembled ghastly hideous fright frightened nightmare panic"""
        ),
        "sad": _set(
            """sad sadness sorrow grief wept weep weeping tears mourning mourn lonely loneliness farewell despair
            regret funeral grave sobbed sobbing misery miserable lost"""
        ),
        "merry": _set(
            """laughed laughing laughter merry merrily jolly cheerful gay joke joked grinned delighted funny
            chuckled giggled party dance danced"""
        ),
        "tender": _set(
            """tender tenderly gently love loved kiss kissed dear dearest darling embraced embrace caress beloved
            softly sweetheart affection"""
        ),
        "angry": _set(
            """angry anger angrily furious fury rage raged shouted quarrel quarrelled curse cursed scorn snapped
            bitterly hated hatred temper glared"""
        ),
        "tense": _set(
            """waited waiting listened listening silent silence suddenly quickly danger dangerous careful
            carefully watched whispered hush crept hurried nervous anxious anxiously alarm pistol knife gun"""
        ),
        "violent": _set(
            """blood sword struck blow blows killed kill slew slain battle fight fought axe spear shot wounded
            charge enemy enemies fired stabbed"""
        ),
        "calm": _set("calm calmly quiet quietly peace peaceful still rest rested slowly gentle murmur drowsy pleasant"),
        "strange": _set(
            """strange strangely mysterious mystery curious curiously odd oddly queer unknown weird uncanny
            puzzled wondered secret impossible vanished"""
        ),
    }
)

EVENTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "there is a fight": _set(
            "fought fight fighting struck blow blows sword slew swung stabbed shot fired fists enemy"
        ),
        "somebody has to run": _set("ran running run fled flee chase chased pursued pursuit escape escaped"),
        "a journey goes on": _set(
            "rode ride riding journey travelled traveled marched march miles sailed saddle trail"
        ),
        "people eat or drink": _set(
            "ate eat eating dinner supper breakfast lunch bread wine drank drink plate meat tea meal"
        ),
        "somebody has died": _set("died dead death dying corpse killed murdered murder buried grave funeral coffin"),
        "something is looked for": _set("searched search searching seek sought hunt hunted missing traces clue clues"),
        "something is found": _set("found discovered discovery hidden treasure chest inside uncovered"),
        "a letter or a note matters": _set(
            "letter letters envelope note handwriting telegram wrote written read paper"
        ),
        "somebody arrives": _set("arrived arrival entered knocked knock visitor visitors guest guests welcome"),
        "people part": _set("farewell good-bye goodbye departed departure parting leave leaving"),
        "a secret comes out": _set("secret secrets confess confessed confession truth promise promised"),
        "people quarrel": _set("quarrel quarrelled angry angrily shouted argued argument furious refused insult"),
        "somebody sleeps or wakes": _set(
            "woke awake wakened awoke sleep slept asleep sleeping dream dreamed bed pillow"
        ),
        "somebody has to wait": _set("waited waiting wait patience clock hours"),
        "somebody hears something": _set("heard listened listening sound sounds noise footsteps echo"),
        "somebody is hurt": _set("wound wounded wounds hurt bandage bled bleeding pain injured broken"),
        "a plan is made": _set("plan plans planned scheme decided arrangement arranged agreed proposal"),
        "help is needed": _set("help helped begged plea save saved rescue rescued"),
        "somebody climbs": _set("climbed climb climbing ladder rope steep summit"),
        "something burns": _set("fire flames flame burned burning burnt smoke blaze"),
        "there is music": _set("music dance danced dancing sang song singing fiddle piano violin"),
        "money changes hands": _set("money paid pay price bought sold dollars pounds coin coins shillings gold"),
        "two people are close": _set("love loved kiss kissed embrace embraced darling dearest tenderly"),
        "somebody is questioned": _set(
            "question questions questioned inquiry evidence witness police inspector suspect"
        ),
        "somebody remembers": _set("remembered remember memory memories childhood forgotten"),
        "somebody hides": _set("hid hide hiding concealed crouched crept"),
        "an animal plays a part": _set("dog dogs horse horses wolf wolves cat cats bear lion bird birds beast snake"),
        "there is trouble at sea": _set("deck mast sails crew waves ship aboard schooner oars overboard"),
        "something is strange": _set("strange mysterious curious unknown vanished ghost apparition uncanny phantom"),
        "something is explained": _set("explained explain explanation reason theory facts because understand"),
    }
)
"""What may happen, as the end of "a scene in which"."""

LOOKS = _set(
    """face eyes hair beard moustache nose brow brows cheeks lips chin forehead tall short thin slender stout
    broad pale dark fair handsome beautiful ugly wore worn dressed dress coat aged age young old years born
    grew childhood reputation temper manner manners habit always never character nature known called used
    educated"""
)
"""Of a person who is described."""

SCENERY = _set(
    """wall walls window windows door doors floor roof ceiling stone stones tree trees leaves grass water sky
    clouds cloud sun sunlight moonlight wind hill hills mountain mountains valley valleys river stream shore
    sea sand rock rocks path road street streets houses towers tower garden flowers forest woods branches
    field fields snow ice rain mist light shadows colour colours green blue grey gray white black red golden
    silver yellow brown smell air horizon distance below above beyond around along everywhere built stood lay
    stretched rose hung shone"""
)

GENRES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "fantasy": _set(
            """magic magical wizard wizards witch witches spell spells enchanted elf elves elfland fairy fairies
            dragon dragons unicorn goblin goblins dwarf dwarves kingdom prince princess troll trolls rune
            runes lords demon sorcerer wand castle"""
        ),
        "dark_fantasy": _set(
            """sorcerer sorcery sorcerers demon demons necromancer curse cursed sword swords blade priest priests
            altar barbarian steel slew slain blood tomb serpent witch spell dead gods throne warriors savage"""
        ),
        "sci_fi": _set(
            """planet planets ship ships space spaceship rocket robot robots android alien aliens martian
            martians orbit galaxy machine machines computer laser earth mars venus scientist scientists engine
            atomic reactor colony humanoid telescope"""
        ),
        "mystery": _set(
            """detective inspector police clue clues murder murdered murderer crime criminal suspect suspects
            evidence inquest poison alibi witness witnesses case investigation constable theft stolen coroner
            footprints"""
        ),
        "horror": _set(
            """horror horrible terror ghost ghosts ghastly corpse coffin grave tomb vampire dread hideous
            nightmare scream screams haunted unseen monstrous crypt phantom shadow evil madness loathsome
            abyss"""
        ),
        "romance": _set(
            """love loved lover marry marriage married engaged engagement kiss kissed heart affection husband
            wife wedding ball attachment admiration proposal passion bride darling beloved happiness"""
        ),
        "adventure": _set(
            """treasure island captain pirate pirates ship expedition jungle desert map voyage sail sailed
            mountains sledge trail camp rifle elephant hunters savage natives crew schooner mutiny explorer
            cutlass dogs"""
        ),
        "thriller": _set(
            """agent agents spy spies bomb conspiracy secret police embassy assassin chase escape escaped pursued
            gun pistol revolver german minister plot threat danger explosion anarchist anarchists hunted
            disguise"""
        ),
    }
)
