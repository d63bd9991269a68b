"""The words in which a verification is told to people, by language."""

import json
import pkgutil
from collections.abc import Mapping
from typing import cast

LANGUAGES = ("vi", "en")

Messages = Mapping[str, Mapping[str, str]]


def load_messages(language: str) -> Messages:
    """Return the words of a language: by kind (``check``, ``reason``, …), then by code."""
    text = pkgutil.get_data("api.assertions", f"messages.{language}.json")
    assert text is not None  # package data
    return cast(Messages, json.loads(text))
