"""`server.toml`: where relying parties reach the server, and how long it keeps links."""

from pathlib import Path

import pytest

from api.settings import ServerSettings, Settings, SettingsInvalidError


def read(home: Path, text: str) -> ServerSettings:
    (home / "server.toml").write_text(text, "utf-8")
    return Settings(home=home).server()


def test_no_file_means_lists_that_travel_as_files(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).server() == ServerSettings(None, 365)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ServerSettings()),
        ('public_url = "https://a.example/"', ServerSettings("https://a.example")),
        ('public_url = "https://a.example/b/"', ServerSettings("https://a.example/b")),
        ('public_url = "http://127.0.0.1:8080"', ServerSettings("http://127.0.0.1:8080")),
        ("keep_status_links_days = 0", ServerSettings(None, 0)),
    ],
)
def test_what_can_be_said(tmp_path: Path, text: str, expected: ServerSettings) -> None:
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'public_url = "http://a.example"',
        'public_url = "ftp://a.example"',
        'public_url = "https://user@a.example"',
        'public_url = "https://a.example/?x=1"',
        'public_url = "https://a.example/#x"',
        'public_url = "https://a.example/a b"',
        'public_url = "https://a.example/\\n"',
        'public_url = "https://ví-dụ.example"',
        'public_url = ""',
        "public_url = 7",
        "public_url = [1]",
        "keep_status_links_days = -1",
        "keep_status_links_days = 1.5",
        "keep_status_links_days = true",
        "keep_status_links_days = 36501",
        'keep_status_links_days = "365"',
        "another = 1",
        "public_url",
    ],
)
def test_anything_else_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalidError, match=r"server\.toml"):
        read(tmp_path, text)


def test_a_folder_in_its_place_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "server.toml").mkdir()
    with pytest.raises(SettingsInvalidError):
        Settings(home=tmp_path).server()
