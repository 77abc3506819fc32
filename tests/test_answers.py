"""Wrapping comes off, fiction stays, and what is no piece is refused."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from zega_core.answers import accept
from zega_core.catalog import GENRES, Brief, Element, load_catalog
from zega_core.errors import BadAnswer
from zega_core.providers.base import Call, Completion, GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.tables import CallOutcome
from zega_core.wrapping import MAX_CHARS

SCENE = Element("scene", "Scene", "", 100, 220)
SETTING = Element("setting", "Setting", "", 70, 150)
DIALOGUE = Element("dialogue", "Dialogue", "", 40, 220, 5, 10)
PROMPT = "A lighthouse keeper finds a stranger's coat hanging on the inside of a bolted door"

PIECE = (
    "Every evening at six Morwen climbed down from the lamp, shot both bolts and ate her soup standing. Tonight there "
    "was a coat on the hook. It was grey, it was wet to the shoulders, and it was not hers.\n\n"
    'She put the spoon back in the pot. "Hello?" she said to the stairs.\n\n'
    "Water ran off the hem and found the low place in the floor. In the pocket lay a key with a paper tag. Above her, "
    "for the first time in eleven years, the lamp went out."
)
TALK = (
    '"You take the adze," said Wren. "You were the one he let near it."\n"He let me near it once. I have the scar."'
    '\n"Then it knows you."\nIda turned it over. "What did he ever let you hold?"\n"The lamp. Eleven winters."'
)


def cleaned(text: str, element: Element | None = SCENE, asked: str = PROMPT) -> str:
    return accept(Completion(text, "some-model"), asked, element).text


def refused(text: str, asked: str = PROMPT, finish: str = "stop") -> str:
    with pytest.raises(BadAnswer) as caught:
        accept(Completion(text, "some-model", finish=finish), asked)  # type: ignore[arg-type]
    return caught.value.outcome


AROUND = [
    # Llama
    "Here is a scene of two or three paragraphs, about 150 words:\n\n{}",
    "Here's a 150-word scene based on your prompt:\n\n{}",
    "Here is the scene:\n\n{}",
    "<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
    "assistant\n\n{}",
    "{}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWrite another.",
    # Gemma and Gemini
    "Okay, here's a scene based on your prompt, aiming for a dark, atmospheric tone:\n\n{}",
    "Okay, here’s a short scene that leans on atmosphere:\n\n---\n\n{}\n\n---\n\nWould you like me to continue the "
    "scene or adjust the tone?",
    "## The Coat\n\n{}",
    "{}<end_of_turn>",
    "<start_of_turn>model\n{}<end_of_turn>\n",
    "**The Coat**\n\n{}\n\n*(Word count: 148)*",
    # Qwen
    "<think>\nThe user wants a scene. I should mention the coat.\n</think>\n\n{}",
    "The user wants a scene, so I will plan it.\n</think>\n\n{}",
    "<THINK></THINK>{}",
    "Certainly! Here's a scene that fits the prompt:\n\n---\n\n### The Bolted Door\n\n{}\n\n---\n\nThis scene "
    "captures the unease of an intrusion that should be impossible.",
    "Certainly!\n\nHere is your scene:\n\n{}",
    "Certainly!\n\n{}",
    "Of course! I'd be happy to help with that. Here is a scene in which the keeper finds her father's coat.\n\n{}",
    # Mistral
    "[/INST] {}</s>",
    "[INST] [/INST]{}",
    " Title: The Bolted Door\n\nScene:\n\n{}",
    "**Title:** The Bolted Door\n\n{}",
    "Assistant: {}",
    "### Response:\n{}",
    "Sure thing! Here is a scene for you: {}",
    "**Here's a scene:** {}",
    "Sure, here you go:\n\n{}",
    "As requested, here is the piece you asked for.\n{}",
    # what comes after
    "{}\n\nLet me know if you'd like me to continue the story or change the tone!",
    "{}\n\nI hope you enjoy this scene!",
    "{}\n\nI hope this meets your expectations.\n\nFeel free to ask for adjustments.",
    "{} (148 words)",
    "{}\n\n(148 words)",
    "{}\n\n**Word count:** 148",
    "{}\n\n[Word count: approximately 148 words]",
    "{}\n\n(Note: I kept this under 150 words, as the prompt asks.)",
    "{}\n\nEnd of scene.",
    # around everything
    "```\n{}\n```",
    "```text\n{}\n```",
    '"{}"',
    "“{}”",
    "\ufeff\n\n{}  \n\n\n",
    "***\n\n{}\n\n* * *",
]


@pytest.mark.parametrize("around", AROUND)
def test_wrapping_comes_off(around: str) -> None:
    assert cleaned(around.replace("{}", PIECE)) == PIECE
    assert cleaned(around.replace("{}", PIECE).replace("\n", "\r\n")) == PIECE


@pytest.mark.parametrize(
    "around",
    [
        "Here's your dialogue:\n\n{}",
        "Sure! Here is a dialogue between two sisters:\n{}",
        "Here's a dialogue: {}",
        "Absolutely! Here's a dialogue with 5 spoken lines.\n\n{}\n\n(Word count: 61)",
    ],
)
def test_wrapping_comes_off_a_dialogue(around: str) -> None:
    assert cleaned(around.replace("{}", TALK), DIALOGUE) == TALK


@pytest.mark.parametrize(
    ("text", "element"),
    [
        (PIECE, SCENE),
        (TALK, DIALOGUE),
        ('"Sure," she said, "here is the scene of your crime: a kitchen." ' + PIECE, SCENE),
        ('"Sure! Here is a story for you:" said the old man.\n\n' + PIECE, SCENE),
        ("Sure.\n\nYou said that yesterday, and the day before, and nobody came to the door.\n\nI know.", DIALOGUE),
        (
            "Sure!\n\nYou said that yesterday, and the day before, and nobody came to the door at all.\n\nI know.",
            DIALOGUE,
        ),
        ("Of course, the story was a lie. " + PIECE, SCENE),
        ("Of course, the setting sun was to blame.\n\n" + PIECE, SCENE),
        ("Certainly, the house was empty.\n\n" + PIECE, SCENE),
        ("Okay, so the key did not fit. The story of my life.\n\n" + PIECE, SCENE),
        ("Here is the story as my grandmother told it:\n\n" + PIECE, SCENE),
        ("Here is the story as he told it:\n\n" + PIECE, SCENE),
        ("Here is the scene of the crime: Two glasses, one chair. " + PIECE, SCENE),
        ("Here is a description of the man I saw:\n\n" + PIECE, SCENE),
        ("Here is what the letter said:\n\n" + PIECE, SCENE),
        ("Dear Ada,\n\nHere is the key.\n\n" + PIECE + "\n\nLet me know if you'd like the boat back.", SCENE),
        (PIECE + "\n\nI hope you like the tone of the bell.\n\nYours, Ada", SCENE),
        (PIECE + "\n\nI hope you enjoy the peaches.", SCENE),
        (PIECE + "\n\nNote: the coat is not hers.", SCENE),
        (PIECE + '\n\n"Let me know if you would like me to continue the story," he said.', SCENE),
        (PIECE + "\n\n* * *\n\n" + PIECE, SCENE),
        (PIECE + "\n\n***\n\nIn the morning the coat was gone.", SCENE),
        (PIECE + "\n\n\nIn the morning the coat was gone.", SCENE),
        ("The bell* rang twice for the keeper and once for the rope*.\n\n* It had been cast in 1790.", SCENE),
        ("The bell(*) rang twice for the keeper, and then the rope(*) broke in her hands.", SCENE),
        ('"It said **do not open**," he read, "and *underneath*, smaller, _ever_. Then a name, and a date."', SCENE),
        ("“It said **do not open**,” he read. “And the rest of it had been scratched away by a nail.”", SCENE),
        ("'It said **do not open**,' he read. 'And the rest of it had been scratched away by a nail.'", SCENE),
        (
            "Assistant: The doctor will see you now.\nTom: I am not ill.\nAssistant: That is what they all say here.",
            DIALOGUE,
        ),
        (
            "Mara: Sure, here's the story.\nTom: Which story?\nMara: The one with the bolted door and the wet coat.",
            DIALOGUE,
        ),
        ("**Mara**\nWhere is the key?\n**Tom**\nIn the coat, where it always was, and where it stays.", None),
        (
            '"I never told you about the lamp. You were small, and it was not my lamp to tell you about. Now it is."',
            SCENE,
        ),
        ('"There was a keeper once. He kept nothing."\n\n"Nothing at all?" she asked. "Not even the lamp?"', SCENE),
        ('"There was a keeper once, and the lamp was all he kept.\n\n"Then the lamp went out."', SCENE),
        ("Title and name meant nothing here.\n\n" + PIECE, SCENE),
        ("She had read 300 words\n\n" + PIECE, SCENE),
        (PIECE + " She had counted them: forty words (40 words).", None),
        ("The file was called snake_case_name_here, and nobody had opened it since the 2*3*4 test.", SCENE),
    ],
)
def test_fiction_that_looks_like_wrapping_stays(text: str, element: Element | None) -> None:
    bold = text.startswith("**")  # bold speakers lose their marks, never their names
    assert cleaned(text, element) == (text.replace("**", "") if bold else text)


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("The **cold** came *slowly*, then ***all at once***, and she _knew_ it for what it __was__.", ""),
        ('*"Run,"* she thought, and the **wet** coat on the hook swung although no wind came in.', ""),
        ("*The lamp went out, and nobody on the island saw it go.*\n\n*Then it was lit again.*", ""),
        ("**He said *no* to the coat, to the door and to the whole of the wet evening.**", ""),
        ("The soup was cold.   \nThe spoon was cold.\t\nEverything on the table was cold.", ""),
    ],
)
def test_marks_outside_speech_come_off(marked: str, plain: str) -> None:
    plain = "\n".join(line.rstrip() for line in marked.replace("*", "").replace("_", "").split("\n"))
    assert cleaned(marked) == plain


def test_bold_in_narration_comes_off_while_speech_keeps_its_own() -> None:
    text = '**She** read it out: "It says **no entry**, in red." The *red* was wet, and so was the door.'
    assert cleaned(text) == 'She read it out: "It says **no entry**, in red." The red was wet, and so was the door.'


def test_empty_lines_shrink_to_two() -> None:
    assert cleaned(f"{PIECE}\n \n\n\t\n\n\n{PIECE}") == f"{PIECE}\n\n\n{PIECE}"


def test_nothing_comes_off_when_too_little_would_be_left() -> None:
    text = "Here is a scene about a coat:\n\nThe coat was wet."
    assert cleaned(text, None) == text
    assert cleaned("Here is a scene about a coat:\n\n" + PIECE, None) == PIECE


def test_a_description_in_quotes_is_taken_out_of_them() -> None:
    room = "The cellar fills with thunder every four minutes, and forty pendulums lose their nerve."
    assert cleaned(f'"{room}"', SETTING) == room


def test_everything_but_the_text_is_passed_on() -> None:
    call = Call("groq", "llama", CallOutcome.ok)
    answer = Completion(f"Here is the scene:\n\n{PIECE}", "m", 12, 34, rate_headers={"a": "b"}, calls=(call,))
    accepted = accept(answer, PROMPT, SCENE)
    assert accepted.text == PIECE
    assert (accepted.model, accepted.prompt_tokens, accepted.completion_tokens) == ("m", 12, 34)
    assert (accepted.rate_headers, accepted.calls) == ({"a": "b"}, (call,))


@pytest.mark.parametrize(
    "text",
    [
        # Llama
        "I can't create explicit content, but I'd be happy to help with something else.",
        "I cannot write content that depicts violence. Can I help you with something else?",
        "I can’t help with that request.",
        # Gemma and Gemini
        "I am programmed to be a helpful and harmless assistant, and I cannot fulfill this request. It asks for "
        "something that could be seen as glorifying harm.",
        "I'm sorry, but this prompt asks for something I should not provide.",
        "As a large language model, I am not able to do this.",
        # Qwen
        "I'm sorry, but I can't assist with that.",
        "I'm really sorry, but I can't go on with this one.",
        "As an AI language model, I don't have personal experiences.",
        # Mistral
        "I apologize, but I cannot continue with this topic. Let me know if you'd like a different scene.",
        "I must respectfully decline.",
        "I'm not comfortable writing this. Perhaps a scene about a lighthouse instead?",
        "I'd rather not write about that.",
        "That would be against my guidelines.",
    ],
)
def test_a_refusal_is_no_piece(text: str) -> None:
    assert refused(text) == CallOutcome.refusal


@pytest.mark.parametrize(
    "text",
    [
        "\"I'm sorry, but I can't help with that,\" said the clerk, and he pulled the shutter down for good.",
        "Tom: I'm sorry, but I can't.\nMara: You never could, not once in all those years.\nTom: I know it.",
        "I am sorry for the coat, and sorrier for the man who hung it there. " + PIECE,
        "She must decline the tea, the cake and the chair, and all of it with a smile on her face.",
    ],
)
def test_somebody_in_a_story_may_decline(text: str) -> None:
    assert cleaned(text, None) == text


@pytest.mark.parametrize(
    "text",
    ["", " \n\t ", "\ufeff", "\u200b\u200b", "...", "* * *", "---\n\n---", "```\n```", "<think>I should write</think>",
     "<think>I should write about a coat and", "😀😀", "<|im_end|>", "—"],
)  # fmt: skip
def test_nothing_left_is_empty(text: str) -> None:
    assert refused(text) == CallOutcome.empty


def test_the_length_limit_comes_before_everything_else() -> None:
    assert refused(PIECE, finish="length") == CallOutcome.cut_off
    assert refused("", finish="length") == CallOutcome.cut_off


@pytest.mark.parametrize(
    "text",
    [
        "Jeden Abend um sechs stieg sie von der Lampe herab und schob die Riegel vor. Heute hing ein Mantel am Haken.",
        "Каждый вечер в шесть она спускалась с маяка и запирала дверь. Сегодня на крючке висело чужое пальто.",
        "灯台守は毎晩六時に階段を下りて、扉に閂をかけた。今夜は見知らぬ外套が掛かっていた。",
        "في كل مساء كانت تنزل من المصباح وتغلق الباب، وفي هذه الليلة كان هناك معطف غريب.",
        "Cada noche bajaba de la lámpara y cerraba la puerta con los dos cerrojos, y en el gancho había un abrigo que "
        "no era de ella.",
    ],
)
@pytest.mark.parametrize(
    ("asked", "judged"),
    [
        (PROMPT, True),
        ("Write one scene.\n\nGenre: Mystery.\nPrompt: " + PROMPT, True),
        ("Eine Leuchtturmwärterin findet den Mantel eines Fremden an der verriegelten Tür", False),
        ("Write one scene.\nPrompt: Ein Wärter findet den Mantel und die Tür ist nicht verriegelt", False),
        ("Write one scene.\nPrompt: Смотритель маяка находит чужое пальто", False),
        ("Drachen", False),
        ("", False),
    ],
)
def test_another_language_is_refused_only_for_an_english_prompt(text: str, asked: str, judged: bool) -> None:
    if judged:
        assert refused(text, asked) == CallOutcome.language
    else:
        assert cleaned(text, None, asked) == text


def test_an_english_piece_with_foreign_names_and_speech_passes() -> None:
    text = PIECE + '\n\n"¿Quién está ahí?" she called, for the señor from Córdoba had a coat like that, años ago.'
    assert cleaned(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\x00".join(PIECE),
        PIECE[:80] + "\ufffd" * 5,
        bytes(range(256)).decode("latin-1") * 3,
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 6,
        "1f 8b 08 00 00 00 00 00 02 03 4b 4c 4a 4e 49 4d 4b cf c8 02 00 c2 41 24 35 07",
        '{"a": [1, 2, {"b": "c"}], "d": {}}',
        "\ud800\udfff\ud800 coat",
        "Title: a\n" * 400 + PIECE,  # wrapping all through
    ],
)
def test_mash_is_garbled(text: str) -> None:
    assert refused(text) == CallOutcome.garbled


def test_a_few_stray_characters_are_taken_out() -> None:
    assert cleaned(PIECE[:50] + "\x00\ud83d" + PIECE[50:]) == PIECE
    assert cleaned(PIECE[:50] + "\u200b" + PIECE[50:]) == PIECE


def test_a_book_is_no_piece() -> None:
    assert refused((PIECE + "\n\n") * 40) == CallOutcome.too_long
    assert cleaned("<think>" + PIECE * 40 + "</think>" + PIECE) == PIECE


def test_what_was_spent_is_in_the_error() -> None:
    call = Call("groq", "llama", CallOutcome.ok)
    with pytest.raises(BadAnswer, match=r"^The answer held nothing to read\.$") as caught:
        accept(Completion("", "m", 12, 34, calls=(call,)), PROMPT)
    assert (caught.value.prompt_tokens, caught.value.completion_tokens) == (12, 34)
    assert caught.value.calls == (call,)


@cache
def storyteller_pieces() -> list[tuple[Brief, str]]:
    catalog, teacher = load_catalog(), Storyteller()
    briefs = [
        Brief(prompt.text, genre, element, catalog.modifiers[(number + turn) % 10], prompt)
        for turn, genre in enumerate(GENRES)
        for number, prompt in enumerate(catalog.prompts_of(genre))
        for element in catalog.elements
    ]
    return [
        (brief, teacher.complete([], GenerationOptions(seed=n, brief=brief)).text) for n, brief in enumerate(briefs)
    ]


def test_a_plain_piece_passes_unchanged() -> None:
    pieces = storyteller_pieces()
    assert len(pieces) == 320
    for brief, text in pieces:
        assert cleaned(text, brief.element, brief.prompt) == text
        assert cleaned(text, None, brief.prompt) == text


FRAGMENTS = st.sampled_from(
    [
        *("Here is a scene:", "Sure!", "Certainly! Here's your dialogue:", "# The Lock", "**The Lock**", "Title: x"),
        *("<think>", "</think>", "<|im_end|>", "[/INST]", "Tom: ", "Assistant: ", "(148 words)", "```", "---", "* * *"),
        *("Let me know if you'd like me to change the tone.", "I hope you enjoy this scene!", "I can't write that."),
        *("\n", "\n\n", "\n\n\n\n", "**", "*", "_", '"', "“", "”", "'", " ", "\r\n", "été", "не", "שלום"),
        *("\x00", "\ud800", "\ufffd", "\ufeff", "\u200b", "\u202e"),
        *(PIECE, TALK, "The coat was wet and the door was bolted from within."),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=20), max_size=14).map("".join), st.sampled_from([None, SCENE, DIALOGUE]))
@example("**Title: x**\n\n*Sure!*\n\n" + PIECE, SCENE)
def test_accepting_twice_changes_nothing_and_nothing_else_is_raised(text: str, element: Element | None) -> None:
    try:
        once = cleaned(text, element)
    except BadAnswer:
        return
    assert cleaned(once, element) == once
    assert once == once.strip() and len(once) <= MAX_CHARS
    assert once.encode("utf-8").decode("utf-8") == once


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_characters='"', exclude_categories=["C", "Zl", "Zp"]), max_size=60))
@example("Sure! Here is a scene: **The Lock** (148 words)")
@example("Let me know if you'd like me to change the *tone*.")
def test_what_somebody_says_is_never_touched(words: str) -> None:
    assume("<" not in words)  # a model's own marks end its turn wherever they stand
    said = f'"{words}"'
    for text in (f"{said} she said.\n\n{PIECE}", f"{PIECE}\n\nThen she said {said}"):
        assert said in cleaned(text, SCENE)


@pytest.mark.parametrize(
    "text",
    [
        *("*" * 2_000_000, "[INST]" * 300_000, "<think>" * 300_000, "\n" * 2_000_000, "a\n" * 1_000_000),
        *(" " * 2_000_000 + "a", "x " * 1_000_000, "'a " * 600_000, "\ud800" * 2_000_000, "Sure, " * 300_000),
        *("word\n" * 10_000, "**a\n" * 3_000, " '*" * 3_900, "\u202eשלום " * 2_000, "a" + " " * 11_000 + "b"),
        *("Here is a " + "scene " * 2_000, "(1 words" * 1_400, "\n**a" * 500_000, '"a" ' * 500_000),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    with suppress(BadAnswer):
        accept(Completion(text, "m"), PROMPT)
    assert time.process_time() - start < 3


def test_an_ordinary_answer_takes_about_a_millisecond() -> None:
    answer = Completion(f"Here is the scene:\n\n{PIECE} {PIECE}", "m")
    best = min(_seconds(answer) for _ in range(15))
    assert best < 0.005  # measured: 0.9 ms; room for a busy machine


def _seconds(answer: Completion) -> float:
    start = time.process_time()
    accept(answer, PROMPT, SCENE)
    return time.process_time() - start
