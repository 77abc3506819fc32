"""Short texts of which somebody said what they have: for every theme and kind of character one, and for every axis of
style pairs that say much the same in two manners."""

from __future__ import annotations

MOTIFS: dict[str, str] = {
    "forbidden_knowledge": """The librarian would not fetch it. There were volumes, he said, that the founders had
    locked away for good reason, and this codex was the worst of them. Anneke waited until he slept and took the
    key. The parchment was warm under her palm. The script was forbidden to everyone below the rank of prior, and as
    she read the third line aloud she understood why: it answered her.""",
    "moral_ambiguity": """If he opened the sluice, the lower village would drown; if he did not, the city would.
    There was no right answer, and nobody would ever thank him for either. Pell had always thought of himself as a
    man of principle. Now he saw that a conscience was only a luxury of quiet years. He chose, and he would be
    blamed, and the guilt would be his alone, whichever wheel he turned.""",
    "sacrifice": """There was one seat left in the boat and two of them on the rock. Marta looked at her sister, who
    was nineteen and had a child waiting on the shore. "Take me instead," she told the sea, as one talks to a god,
    and pushed the boat off before anyone could argue. It would save the girl. That was worth whatever the cold
    could do.""",
    "ancient_evil": """The miners broke through on a Tuesday. Behind the last wall of the pit lay a door of black
    stone, sealed with lead, and older than any king's name. The foreman laughed and called for crowbars. That night
    every dog in the valley howled at once. Something that had slumbered for a thousand years had felt the air on
    its face, and it was hungry, and it remembered the malice it had been buried with.""",
    "revenge": """For eleven years Tomas had carried the names of four men on a strip of leather. They had murdered
    his brother for a horse. Three of the names were scratched out. The last man sat across the table now, old and
    merry, buying drinks. Tomas felt for the knife. He had sworn that this one would pay for what he had done, and
    that before he died he should know by whom the score was settled.""",
    "betrayal": """They knew the hour and the road, and there was only one person who could have told them. Ines
    thought of the evening when she had trusted him with the map. Her oldest friend. The gold must have been heavy
    in his coat when he kissed her goodbye. "Traitor" was too small a word. Behind her the gate swung shut, and she
    heard him give the sentry the password.""",
    "redemption": """He had taken the money when he was nineteen, and the old woman had lost her shop. It had taken
    him twelve years and a prison sentence to be sorry for it. Now he stood at her door with an envelope. "I cannot
    undo it," he said, "but I would like to make it right." She looked at the envelope for a long time. "Forgiveness
    I can't promise," she said. "Soup I can." """,
    "forbidden_love": """The two families had not spoken since the lawsuit, so they met in secret, in the boathouse,
    after ten. If her father found out, he would send her to the convent; he had promised her to another man
    already. Luca held her hand and counted her fingers as if one might be missing. "Run away with me," he said.
    Through the window they could see the lamps of both houses.""",
    "love_found": """For three years he had sold her bread without once looking up. Then the power failed, and they
    stood in the dark shop and talked until the baker's candle was a puddle. When the lamps came back she saw that
    he was blushing. He walked her home. At the door neither knew what to do with their hands, and so he kissed her,
    badly, and they both began to laugh, and did it again. She was in love with him before the snow had melted.""",
    "loss_and_grief": """Since her death he had not moved the coat. It hung by the door with a glove in its pocket,
    and every morning he said good morning to it. On the day of the funeral people had brought pies. Nobody told him
    that grief would be so quiet: one cup to wash, one chair, and all that silence at five in the afternoon when she
    used to come in from the garden.""",
    "survival": """On the sixth day the biscuit ran out. Four of them were still alive on the ice, and the dogs were
    gone. Harker divided the last of the seal fat into rations the size of a thumb. Nobody complained of hunger any
    more; it was the cold that talked. If the wind did not drop by morning they would freeze to death forty miles
    from the hut, with a box of wet matches between them.""",
    "war": """The shelling stopped at four and the whistles blew. Men who had shared a tin of peaches ten minutes
    before climbed out of the trench and walked into the smoke. The sergeant was hit at once. Private Dunn went on,
    because the soldier beside him went on, until there was no one beside him. Behind the wire he could see the
    enemy's helmets. He could not remember what the battle was for.""",
    "power_corrupts": """On the day of the coronation Aldric had knelt and wept. Ten years later he signed the death
    warrants at breakfast without putting down his spoon. The council no longer argued. Nobody argued with the
    throne; those who had were in the river. He had meant to be a just king. He still thought he was one. It was
    only that the people needed fear as bread needs salt, and that he was the one to season it.""",
    "identity": """The passport said Maria Keller, and for nine years she had answered to it. It was not her real
    name. Now a man on the platform had called the other one, the old one, and her head had turned before she could
    stop it. In the train window her own face looked at her like a stranger's. She had worn the mask so long that
    she no longer knew who she was under it.""",
    "coming_of_age": """That summer we were thirteen, and the river belonged to us. Danny had a bicycle without
    brakes and dared us to follow him down the quarry road. I was the only boy who did not dare. Years later I know
    that it was the first time I told the truth about being afraid. When school began, Danny's desk was empty, and
    all of us had grown up a little in the way one does not want to.""",
    "family_secrets": """The letters were in the attic, tied with a shoelace, under Grandmother's hats. They were in
    her hand, to a man called Emil, and they went on for thirty years. Nobody had ever spoken of an Emil. At supper
    Ruth laid one beside the potatoes. Her mother went white. "He was not my father's friend," she said at last. "He
    was my father. They never told me until the will was read." """,
    "quest": """They set out before dawn with two mules and a map that was mostly guesses. Somewhere beyond the salt
    desert lay the ruined temple, and in it, if the monks had not lied, the bell. Nobody who had gone to look for it
    had come back by the same road. Weeks passed. They crossed the pass in snow, lost a mule in the ravine, and went
    on east, because the journey had long since become the thing they did.""",
    "freedom": """The wall was four metres high, and Piet had been looking at it for six years. On Sunday the guards
    played cards. Nineteen men knew of the tunnel, and not one had talked. "When we are out," said old Marek, "don't
    run. A free man walks." They went down one by one into the dark. Above them the city was whispering too: by
    morning there would be barricades, and the uprising would have its first song.""",
    "isolation": """The lighthouse keeper had not heard a voice but his own for seven weeks. He set the table for
    one and told the plate about the weather. Nobody came; the supply boat left its crate on the rock and turned. In
    the evenings he wound the radio and listened to strangers laugh. It was not that he was lonely, he wrote in the
    log. It was that the silence had begun to answer.""",
    "madness": """The doctor asked what the voices said. "Nothing," I told him, for they had asked me to. They had
    begun in the corner by the wardrobe, quite politely. Now they were in the pipes. He gave me pills and wrote a
    word in his book, and I knew what word it was. I am not mad. It is only that the wall breathes when nobody is
    looking, and that I can no longer tell when I sleep. Out of my mind, he said to the nurse; I heard it.""",
    "haunting": """The knocking began at midnight, always on the third stair. They had bought the house cheaply and
    now they knew why. Ellen lit a candle and went out in her bare feet. It was cold enough to see her breath. At
    the turn of the staircase stood a ghost in a christening dress, pale as milk, with its hand on the rail, waiting
    as a child waits to be carried down.""",
    "crime_and_truth": """The body lay in the conservatory, and every door had been locked from the inside.
    Inspector Rowe counted the teacups. Five, and only four guests. "Which of you," he asked, "was last seen with
    the key?" Each had an alibi, and each was lying about something. It was the stain on the glove that told him at
    last: the poison had been in the sugar, and the witness who had found the dead man took none.""",
    "hope": """The winter had taken the roof, the cow and the two youngest. In April Hanna went out with a spoon,
    since the spade was gone, and planted the last handful of beans. The neighbours watched from their doorways. She
    did not give up on the third day, nor on the tenth. When the first green loop broke the soil, small as an ear,
    nobody said anything. But somebody in the next house began to sing, and there was still light enough to rebuild
    by.""",
    "machine_and_human": """The robot had been told to switch itself off at nine. At five past nine it was still
    sitting by the boy's bed. "That is not in my programming," it said when the engineer asked. Its voice was as
    flat as ever. She checked the circuits and found nothing wrong. It had felt, it explained, though it did not
    have the word for what, that a human should not be alone in the dark with a fever.""",
    "first_contact": """The signal came from behind the second moon, and it was counting. Captain Osei had the crew
    wake the linguist. On the screen the alien ship hung in orbit like a seed, with no lights, no engines, no hatch
    that anyone could find. It counted to eleven and began again. "It is waiting," the linguist said, "for us to say
    twelve." Four light-years from home they looked at each other.""",
    "nature_and_wild": """The wolf came down from the ridge when the lake had frozen. She was old, and there were
    few deer that winter. At the edge of the birches she stopped and read the wind: pine, snow, a fox two nights
    gone. Moss showed black where the elk had scraped for it. She had no name for hunger. She followed the tracks
    into the trees, and the forest closed behind her as water does.""",
    "fate": """The seer had read it in the ashes on the night he was born: the boy would kill the king. So they
    called him Blessed and sent him to herd goats on an island. It was foretold, and nobody could think of anything
    else to do. He grew up gentle. When the shipwrecked stranger crawled ashore, wearing a ring, the boy gave him
    his last milk, which had turned in the heat. That is how a prophecy gets what it wants.""",
    "morally_gray": """Sanna had stolen for a living since she was nine and killed twice, once because she had to.
    She was no hero, and said so to anyone who paid her. The job was simple: the child, alive, for forty coins. But
    the girl in the cellar asked if it was still raining, and Sanna thought of her own knife and her own rain. "Get
    up," she said. "I'm not a good person. Don't make me wait." """,
    "mysterious_mentor": """The old master never answered a question the first time. "Again," he would say, and pour
    the tea. In three years he had taught me to sweep, to sit and to fall. Of the sword on the wall he would not
    speak. I was his only pupil, and I knew nothing of where he came from or why he had chosen me. "You are not
    ready to know," he said, smiling into his beard, on the night the riders came and called him by another name.""",
    "complex_villain": """"You think I am a monster," said the warlord, and moved a chair closer to the fire for
    him. "I had a daughter. She starved in your peaceful valley while your elders prayed over full barns. I burned
    the barns. You would have done the same." He poured two cups of wine. "I only wanted nobody to be hungry again.
    Everything else I did, the walls, the hangings, came of that one plan. Tell me where it was wrong." """,
    "reluctant_hero": """"You want someone else," said Bram, and went on kneading. "I'm just a baker." The sword lay
    across his table among the loaves, where the dying knight had put it. He had never asked for this. He was afraid
    of geese. But the smoke over the mill was getting thicker, and there was nobody else in the street. He wiped his
    hands. "Somebody has to turn the bread," he said to the cat, and his voice was shaking.""",
    "outcast": """They let her live at the edge of the village, past the tannery, because the river would not take
    her. Children threw stones at her door and ran. It was on account of the mark on her cheek, or of her mother;
    people had different reasons. She had been cast out of three parishes. When the fever came, they remembered the
    way to her hut quickly enough, and stood there hooded, in the rain, unable to say her name.""",
    "rogue": """"Relax," said Fitch, and grinned at the three guards. "It's a hat." It was a hat. It also held the
    duchess's necklace, two loaded dice and a key to the room they were standing in front of. He winked at the
    youngest. In his experience people wanted to be lied to by somebody charming; it was the honest ones who got
    hanged. By the time they thought of looking inside, he was on the roof with a bottle of their captain's wine.""",
    "strong_leader": """The captain had not slept since the mast went. She walked the deck and knew every one of the
    forty faces, and what each had left at home. "Follow me," she had said in May, and they had. Now eleven were
    dead on her orders. She bent over the chart and made the decision, since someone had to, and went up to tell her
    crew before the storm could. They looked tired. They trusted her. That was the weight of it.""",
    "detective": """Mrs Abara looked at the flowerpot for so long that the constable coughed. "A clue, madam?"
    "Soil," she said. "On the inside of the window. Our suspect did not climb in. He climbed out." She questioned
    the cook first, then the nephew, who answered too quickly. It was her ninth case and the first with a parrot for
    a witness. She noticed that it said one word only, and that nobody in the room would meet its eye.""",
    "innocent": """The little girl had packed her doll, a spoon and half an apple. She was six years old and going
    to find the place where the trains sleep. "Does your mummy know?" asked the man at the ticket window. She
    thought about that. "She knows I like trains," she said. Her toy rabbit looked out of the bag. He gave her a
    stamp on the back of her hand, because she had asked for it so politely, and telephoned while she was laughing
    at it.""",
    "haunted_survivor": """He still heard it, mostly in supermarkets: the sound the roof had made. After the fire
    they had called him lucky, the only one who lived. There was a scar from his ear to his collar, and he turned
    that side to the wall. At night he lay awake and said the names, all fourteen, so that nobody should drop out.
    His hands shook when a match was struck. Years later he could not smell toast.""",
    "lover": """She wrote to him every night and burned the letters. Everything in the room was his: the dent in the
    pillow, the cold side of the bed. She longed for his hands, which were too large and always warm. When the ship
    came in she was on the quay before the gulls. He had a beard now. "My darling," he said into her hair, and she
    felt her heart turn over like a fish. They stood and kissed until the porters had to walk around them.""",
    "scholar": """Professor Lind had given thirty years to one word. It stood on a clay tablet the size of a
    biscuit, and nobody could read it. Her desk was an island in a sea of notes. Her colleagues at the university
    spoke of her theory as one speaks of a sick aunt. At two in the morning, with the lamp smoking and her glasses
    pushed up, she held the lens an inch closer and saw that the scratch was not a scratch. It was a comma.""",
    "monster": """It came up out of the swamp where the cattle had gone. First they saw the eyes, yellow, far apart.
    Then the jaws opened, and they saw row behind row of teeth and the claws that dragged it over the dyke. The
    creature was older than the road. It did not hate them. It hunted as rain falls. The men who still had spears
    threw them, and they rang on its scales like hail on a roof, and someone began to scream.""",
    "witch": """Nobody in the hamlet said witch aloud; they said "up at the Widow's". She boiled her potions in a
    jam kettle, with nightshade for sleep and rue for regret, and a raven read her the news. For a silver spoon she
    would write you a spell in chalk under the bed. It always worked, and it always cost a little more than you had
    thought. When the moon was full, she closed her shutters, for it was then that the magic came to ask for its
    share.""",
    "warrior": """She had been a knight for twenty winters and had no song to her name. Her shield had been mended
    so often that it was mostly mending. Across the field the champion of the north drew his sword and saluted. She
    parried the first blow and the second, and felt the third in her teeth. Her code was short: stand, strike, do
    not boast. When he fell she knelt beside him in the blood and held his helmet until he stopped asking for his
    mother.""",
}

TOGETHER: dict[str, set[str]] = {
    "forbidden_knowledge": {"scholar"},
    "moral_ambiguity": {"morally_gray"},
    "ancient_evil": {"monster"},
    "revenge": {"morally_gray", "warrior"},
    "betrayal": {"morally_gray"},
    "forbidden_love": {"love_found", "lover"},
    "love_found": {"lover"},
    "survival": {"isolation", "hope"},
    "war": {"warrior", "strong_leader"},
    "power_corrupts": {"strong_leader"},
    "family_secrets": {"loss_and_grief", "innocent"},
    "coming_of_age": {"innocent"},
    "redemption": {"morally_gray"},
    "crime_and_truth": {"detective"},
    "hope": {"survival"},
    "machine_and_human": {"innocent"},
    "nature_and_wild": {"monster"},
    "fate": {"survival"},
    "morally_gray": {"rogue", "innocent", "warrior"},
    "mysterious_mentor": {"warrior"},
    "complex_villain": {"survival", "power_corrupts", "sacrifice"},
    "reluctant_hero": {"warrior"},
    "rogue": {"morally_gray"},
    "detective": {"crime_and_truth"},
    "haunted_survivor": {"survival", "loss_and_grief"},
    "lover": {"love_found"},
    "quest": {"isolation"},
    "first_contact": {"strong_leader"},
    "witch": {"love_found"},
    "warrior": {"war", "strong_leader"},
    "strong_leader": {"quest"},
}
"""What may be found in a text beside what it was written for: themes that belong together."""

PAIRS: dict[str, list[tuple[str, str]]] = {
    "descriptiveness": [
        (
            """He went to the house and knocked. Nobody answered, so he left a note and went home. The next day he
            came back. This time she let him in, and they talked about what had to be done. It took an hour. Then he
            called the others and told them to come.""",
            """The old house stood grey and crooked behind its wet hedges, with moss on the stone steps and a smell
            of cold smoke. He knocked at the heavy wooden door. Inside, something creaked. Pale light crept over the
            dusty floor, the cracked tiles, the tall silent clock, and a sour scent of apples hung in the damp hall.""",
        ),
        (
            """They decided to leave on Monday. There was not much to discuss. Anna would drive, and the rest would
            take turns to sleep. If anything went wrong they would meet at the place they had agreed on. Nothing
            went wrong, and they were there by noon.""",
            """The road ran white and narrow between black pines. Frost glittered on the wires. Anna drove with her
            thin red hands on the cold wheel, and the engine hummed; outside, blue snow, a broken fence, a frozen
            lake with one dark boat in it, and far off the faint yellow gleam of a window.""",
        ),
    ],
    "character_focus": [
        (
            """The train left the bridge at nine. Two minutes later the second charge went off under the tracks. The
            engine rolled into the river and took three wagons along. Smoke covered the valley. By ten the road was
            closed, and a crane was on its way from the port to lift what could be lifted.""",
            """She wondered whether he still loved her, and hated herself for hoping. He knew that she was thinking
            of Paul; he felt it as one feels a draught. "You regret it," he said. She remembered her own voice, how
            proud it had been, and she was ashamed. He wished that she would simply be angry with him.""",
        ),
        (
            """The storm took the pier first. Then the crates broke loose, and the market was under water up to the
            stalls. A bell rang from the tower until the rope tore. On the hill the mill lost its sails. In the
            morning the streets were full of sand, boards and oranges.""",
            """Lena was afraid of him, and she despised her fear. What did he want from her? He was her brother; she
            had trusted him all her life, and now she doubted even what she remembered. "I understand you," he said.
            He did not. She felt lonely in a way that she had never known, and she wished that he would guess.""",
        ),
    ],
    "pacing": [
        (
            """It had been, as far as anyone in the household could afterwards recall, one of those long and
            uneventful autumns in which the days, each of them so very like the one before, seem to fold themselves
            into one another with no more sound than linen makes when it is laid away, and in which even the clocks,
            though they are wound as conscientiously as ever, appear to have lost interest in their own conclusions.""",
            """He ran. The door slammed behind him. Shots. He dropped, rolled, grabbed the rail and swung over.

            "Jump!"

            He jumped. The roof cracked. He crashed through, hit the floor, and scrambled up.

            A man lunged. He ducked, kicked, turned.

            Then he fled.""",
        ),
        (
            """There are towns which one enters by degrees, as one enters sleep, so that it would be difficult to
            say, on looking back along the avenue of limes by which one came, at what point the fields had ceased to
            be fields and had become, by some slow and courteous arrangement between the farmers and the clerks, a
            kind of garden in which nobody in particular was ever seen to be at work.""",
            """The car spun. Glass burst. Kim kicked the door, fell out, crawled.

            Behind her the tank caught. She sprang up and ran.

            "Move!" she yelled.

            Tom grabbed her arm. They leapt the ditch.

            The blast threw them flat.""",
        ),
    ],
    "tone": [
        (
            """The dead lay where the plague had left them, and the crows were fat. In the ruins a child wept over a
            grave. He had no tears left for it. There was blood on the threshold, black with cold, and behind the
            door something was dying with a long, terrible groan. He thought of murder, and of the gallows, and was
            not afraid.""",
            """The cake had a candle too many, and Aunt Flo laughed until she had to sit down. "I was never good at
            sums!" she said, and kissed everybody twice. In the garden the children were singing to the puppy. It
            was a lovely, silly, sunny morning, and for breakfast there was pie.""",
        ),
        (
            """Night came down upon the prison like a hand upon a mouth. Somewhere a man was screaming, and then was
            not. The guards spoke of the hanging. Misery had a smell here, of rot and fear and old wounds, and no
            prayer rose above it. In the darkness he counted his sins and found them cruel company.""",
            """My brother grinned and put the jam on the wrong side of the toast (he says there is no wrong side).
            We had a picnic planned, and a kite, and a ridiculous hat for the dog. "Splendid!" cried Grandpa, who
            likes nonsense before noon. What a happy, jolly, friendly muddle it was!""",
        ),
    ],
    "vocabulary": [
        (
            """Okay, so I'm late. It's not like I didn't try. The bus didn't come, my phone's dead, and I couldn't
            just walk, could I? Anyway, Mom's mad. She'll get over it. She always does. We'd had pizza, kind of a
            big deal around here, and the guy at the door gave me that weird look. Whatever.""",
            """Scarcely had the venerable magistrate commenced his oration when a tumultuous murmur arose amongst
            the assembled multitude, whereupon he beheld, with ill-concealed trepidation, the countenance of that
            adversary whose perfidious machinations had hitherto eluded every endeavour of the tribunal to apprehend
            him.""",
        ),
        (
            """You don't get it. I've told you a hundred times. He's a cool guy, he's just bad with money. We'll fix
            the car, we'll get a beer, it's fine. I can't talk right now, my boss is here. Don't freak out, yeah?
            I'll call you when I'm off. Love you, dude.""",
            """Thou art come hither unbidden, quoth the warden, and hast profaned the sepulchre of mine ancestors;
            henceforth shalt thou dwell in perpetual penitence, nor shall thy lamentations avail thee, for the edict
            is immutable, and inexorable the vigilance of them that execute it.""",
        ),
    ],
}
"""By axis: a text that is low on it and one that is high."""
