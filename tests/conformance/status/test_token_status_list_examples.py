"""The specification's own examples: draft-ietf-oauth-status-list §4 and appendix C."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.assertions.status_list import StatusArray

EXAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("token_status_list.json").read_text("utf-8")
)


@pytest.mark.parametrize("example", EXAMPLES["small"], ids=lambda e: f"{e['bits']} bits")
def test_4_1_array_is_packed_and_compressed_as_in_the_example(example: dict[str, Any]) -> None:
    statuses = dict(enumerate(example["statuses"]))
    array = StatusArray.of_valid(len(statuses), example["bits"]).changed(statuses)
    assert array.encode() == {"bits": example["bits"], "lst": example["lst"]}
    decoded = StatusArray.decode({"bits": example["bits"], "lst": example["lst"]})
    assert [decoded.get(idx) for idx in statuses] == example["statuses"]


@pytest.mark.parametrize("example", EXAMPLES["of_2_20_entries"], ids=lambda e: f"{e['bits']} bits")
def test_appendix_c_list_of_a_million(example: dict[str, Any]) -> None:
    """What zlib makes of an array may differ by its version; what it inflates to may not."""
    statuses = {int(idx): status for idx, status in example["set"].items()}
    decoded = StatusArray.decode({"bits": example["bits"], "lst": example["lst"]})
    assert decoded.size == 1 << 20
    made = StatusArray.of_valid(1 << 20, example["bits"]).changed(statuses)
    assert made.packed == decoded.packed
    assert StatusArray.decode(made.encode()) == decoded
    assert {idx: decoded.get(idx) for idx in statuses} == statuses
