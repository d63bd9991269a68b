"""The words in which a verification is told to people, by language."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import cast

LANGUAGES = ("vi", "en")

Messages = Mapping[str, Mapping[str, str]]


def load_messages(language: str) -> Messages:
    """Return the words of a language: by kind (``check``, ``reason``, …), then by code."""
    text = files("api.assertions").joinpath(f"messages.{language}.json").read_text("utf-8")
    return cast(Messages, json.loads(text))
