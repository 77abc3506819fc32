"""How well two questions that ask for the same are told from two that do not, by a list that was labelled by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zega_core.questions.likeness import Asked

ALIKE = [
    ("Describe the harbour at dawn", "Describe a harbour at the break of day"),
    ("Describe the harbour at dawn.", "Paint a picture of the port at sunrise. About 80 words."),
    (
        "Write a dialogue between a miller and a tax collector.",
        "Let a tax collector and a miller talk. Some 120 words.",
    ),
    ("Write the opening of a story about a lost key.", "Begin a story about a key that has been lost."),
    ("Tell us what the lighthouse keeper does at night.", "What does the keeper of the lighthouse do at night?"),
    ("Write a letter from a sailor to his mother.", "A sailor writes to his mum. Write the letter."),
    ("Describe an old theatre that smells of dust.", "Depict an ancient theatre smelling of dust."),
    ("Write a quarrel between two sisters about a house.", "Two sisters argue over a house. Write the argument."),
    ("End a story with a train leaving the station.", "Write an ending in which a train leaves the railway station."),
    ("Show a child finding a ghost in the attic.", "Write how a child discovers a ghost in the attic."),
    ("Describe the market on a rainy morning.", "Describe the market place on a morning in the rain."),
    ("A customer wants a refund. Answer.", "Answer a customer who wants the money back."),
    ("Write a farewell on a railway platform.", "Write a goodbye on the platform of a railway."),
    ("Describe a character who never lies.", "Sketch a character who never tells a lie."),
    ("Write a scene in which a thief returns a ring.", "A thief comes back with a ring. Write that scene."),
    ("Describe the village after the storm. No people.", "Describe the village after the storm in plain words."),
    ("Explain knitting to a beginner.", "Explain to a beginner what knitting is."),
    ("Describe the smell of an old bookshop.", "Describe how an old bookshop smells."),
    ("Write the last page of a romance set in Lisbon.", "Write the ending of a romance that is set in Lisbon."),
    ("Introduce a retired detective through his garden.", "Introduce a detective who has retired by his garden."),
    ("Write a monologue of a bride on the morning of her wedding.", "A bride speaks on her wedding morning. Write it."),
    ("Write about grief without naming it.", "Write of grief, and do not name it."),
    ("Describe the sea in winter as a fisherman sees it.", "Describe the ocean in winter through a fisherman's eyes."),
    ("The butler has a secret. Let him almost tell it.", "Let the butler almost tell his secret."),
    ("Open with a funeral at which nobody cries.", "Begin with a burial where nobody is crying."),
    ("Write a scene in which rain ruins a wedding.", "Rain spoils a wedding. Write the scene, about 150 words."),
    ("Describe a clockmaker by his hands.", "Describe the hands of a clockmaker."),
    ("Let two old friends meet by chance at a funeral.", "Two old friends run into each other at a burial. Write it."),
    ("What does the innkeeper hide in the cellar?", "The innkeeper hides something in the cellar. Write about it."),
    ("A reader asks how you began to write. Answer.", "Answer a reader who wants to know how you began writing."),
    ("Write a letter of apology from a general.", "A general apologises in a letter. Write it."),
    # in quite other words
    ("Write about a man who has lost his job.", "A person comes home on the day of being fired. Write it."),
    (
        "Describe the kitchen after a party.",
        "What does the room look like where they cooked, once the guests have gone?",
    ),
    ("Write a conversation between rivals.", "Let two people who compete with each other speak."),
]
DIFFERENT = [
    ("Describe the harbour at dawn.", "Describe the harbour from the sea, as an enemy sees it."),
    ("Describe the harbour at dawn.", "Describe the kitchen at dawn."),
    ("Write a dialogue between a miller and a tax collector.", "Write a dialogue between two astronauts."),
    ("Write a letter from a sailor to his mother.", "Write a letter from a prisoner to his judge."),
    ("Write the opening of a story about a lost key.", "Write the ending of a story about a wedding."),
    ("Explain knitting to a beginner.", "Explain mortgages to a beginner."),
    ("A customer wants a refund. Answer.", "A customer wants to know your opening hours. Answer."),
    ("Describe a character who never lies.", "Describe a character who never sleeps."),
    ("Write a quarrel between two sisters about a house.", "Write a quarrel between two sailors about a map."),
    ("Show a child finding a ghost in the attic.", "Show a ghost that is afraid of children."),
    ("Describe the market on a rainy morning.", "Describe the cathedral on a rainy morning."),
    ("Write a scene in which a thief returns a ring.", "Write a scene in which a nurse steals a letter."),
    ("End a story with a train leaving the station.", "Write a chase on a train."),
    ("Describe the smell of an old bookshop.", "Describe the sound of an old ship."),
    ("Write about grief without naming it.", "Write about envy without naming it."),
    ("The butler has a secret. Let him almost tell it.", "The butler is offered another place. Write his answer."),
    ("Open with a funeral at which nobody cries.", "Open with a race that nobody wins."),
    ("Introduce a retired detective through his garden.", "Introduce a young spy through her shoes."),
    ("Describe the village after the storm. No people.", "Describe the village before the fair. About 100 words."),
    ("Write a monologue of a bride.", "Write a monologue of a gravedigger."),
    ("Write the last page of a romance set in Lisbon.", "Write the last page of a thriller set in Oslo."),
    ("Rewrite this in your voice: “The man went home. It rained.”", "Rewrite this in your voice: “The queen is ill.”"),
    ("Describe the sea in winter as a fisherman sees it.", "Describe the mountains in winter as a pilot sees them."),
    ("Tell us what the lighthouse keeper does at night.", "Tell us what the lighthouse keeper is afraid of."),
    ("Write a toast given by a jealous brother.", "Write a speech given by a mayor who has lost."),
    ("Continue this: “The door had never had a lock.”", "Continue this: “My aunt kept bees and grudges.”"),
    ("Write a farewell on a railway platform.", "Write a reunion on a mountain."),
    ("Describe an old theatre that smells of dust.", "Describe a new school that smells of paint."),
    ("Write a scene in which rain ruins a wedding.", "Write a scene in which a wedding saves a village."),
    ("Describe a clockmaker by his hands.", "Describe a clockmaker by his enemies."),
    ("Let two old friends meet by chance at a funeral.", "Let two old enemies share a cab to the opera."),
    ("What does the innkeeper hide in the cellar?", "Who sleeps in the innkeeper's best room?"),
    ("A reader asks how you began to write. Answer.", "A reader asks why your villains are so polite. Answer."),
    ("Write a letter of apology from a general.", "Write a letter in which a general resigns."),
]


def test_rewordings_are_found_and_different_questions_are_let_through():
    found = sum(Asked([other]).has(one) for one, other in ALIKE)
    mistaken = sum(Asked([other]).has(one) for one, other in DIFFERENT)
    assert found / len(ALIKE) >= 0.8  # recall; in quite other words nothing is found
    assert found / (found + mistaken) >= 0.9  # precision


def test_the_order_of_two_questions_does_not_matter():
    for one, other in [*ALIKE, *DIFFERENT]:
        assert Asked([other]).has(one) == Asked([one]).has(other)


def test_case_length_and_marks_do_not_make_another_question():
    assert Asked(["Describe the harbour at dawn. About 120 words."]).has("DESCRIBE THE HARBOUR, AT DAWN!")


def test_what_all_questions_are_about_does_not_make_two_of_them_alike():
    asked = [f"Explain {what} of a lighthouse museum." for what in ("the opening hours", "the lamp", "the stairs")]
    asked += ["Who pays for the lighthouse museum?", "Is the lighthouse museum haunted?"]
    assert Asked(asked).likeness("Can I marry in the lighthouse museum?") < 0.5
    assert Asked(asked).has("Is it haunted, the lighthouse museum?")


def test_nothing_is_like_no_question():
    assert not Asked([]).has("Describe the harbour.")


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_compared(one: str, other: str):
    assert 0 <= Asked([other]).likeness(one) <= 1
    assert Asked([other, one]).has(one)
