"""The result format of the benchmarks, which later work extends."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api.cli.bench import register
from benchmarks import report
from benchmarks.result import Metric, in_turn, machine, median_ms, ratio, timed, versions


def test_metric_names_its_ratio() -> None:
    assert Metric(3.0, "ms", 5, bound=1.5).to_dict() == {
        "value": 3.0,
        "unit": "ms",
        "bound": 1.5,
        "ratio": 2.0,
        "peer": None,
        "n": 5,
    }
    assert Metric(3.0, "ms", 5, peer=2.0).to_dict()["ratio"] == 1.5
    assert Metric(3.0, "ms", 5).to_dict()["ratio"] is None


def test_median_of_wall_times() -> None:
    calls: list[int] = []
    assert median_ms(lambda: calls.append(1), 4) >= 0
    assert len(calls) == 5  # one to warm up


def test_works_are_taken_in_turn_after_a_round_to_warm_up() -> None:
    order: list[str] = []

    def work(name: str, ms: float) -> Callable[[], float]:
        return lambda: order.append(name) or ms

    times = in_turn({"ours": work("ours", 3.0), "bare": work("bare", 2.0)}, 2)
    assert order == ["ours", "bare"] * 3
    assert times == {"ours": [3.0, 3.0], "bare": [2.0, 2.0]}


def test_ratio_is_the_median_of_the_rounds() -> None:
    assert ratio([2.0, 9.0, 40.0], [1.0, 3.0, 10.0]).value == 3.0


def test_work_in_one_go_counts_as_one_call() -> None:
    calls: list[int] = []
    assert timed(lambda: calls.append(1), 5)() < 1000
    assert len(calls) == 5


def test_machine_names_no_host() -> None:
    import socket

    described = json.dumps(machine() | versions())
    assert socket.gethostname() not in described
    assert machine()["cores"]
    assert "numpy" in versions()


def test_table_has_each_metric() -> None:
    result: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(),
        "taken_at": "2026-11-21T00:00:00+00:00",
        "metrics": {"chip.read.short": Metric(1.5, "s", 3, bound=1.0, peer=2.0).to_dict()},
        "skipped": {"face": "no models"},
    }
    table = report.table(result)
    assert "| `chip.read.short` | 1.5 | s | 1.0 | 2.0 | 1.5 | 3 |" in table
    assert "`face` skipped: no models" in table


def test_unknown_stage_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["bench", "nothing"])
    assert ended.value.code == 2
    assert "startup" in capsys.readouterr().err


def test_command_names_every_stage() -> None:
    from api.cli.bench import STAGES
    from benchmarks import run

    assert STAGES == run.STAGES
