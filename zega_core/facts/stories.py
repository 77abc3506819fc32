"""A story on the shelf as programs see it."""

from __future__ import annotations

from datetime import datetime

from zega_core import shelf, story_files
from zega_core.facts.base import Facts, Page, score
from zega_core.tables import Story


class StoryFacts(Facts):
    """``seen`` names the story as it is now: sent back with a change, nothing is overwritten that changed
    meanwhile."""

    id: int
    seen: str
    title: str
    genre: str | None
    element: str | None
    words: int
    quality: float | None
    example_id: int | None
    created_at: datetime
    updated_at: datetime | None


class WholeStory(StoryFacts):
    body: str


class StoryPage(Page):
    stories: list[StoryFacts]


def of_story(story: Story) -> StoryFacts:
    return StoryFacts(
        id=story.id or 0,
        seen=shelf.stamp(story),
        title=story.title,
        genre=story.genre or None,
        element=story.element or None,
        words=story_files.words(story.body),
        quality=score(story.quality),
        example_id=story.example_id,
        created_at=story.created_at,
        updated_at=story.updated_at,
    )


def whole(story: Story) -> WholeStory:
    return WholeStory(**of_story(story).model_dump(), body=story.body)
