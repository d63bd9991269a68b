"""What a person is told, in Vietnamese and English: one instruction at a time."""

from typing import Final, NamedTuple

from biometrics.challenge.steps import Action, Extent, Side, Step


class Words(NamedTuple):
    """The same sentence in both languages."""

    vi: str
    en: str


REST: Final = Words("Nhìn thẳng vào màn hình", "Look straight at the screen")
"""Before the first step, and between steps."""
LIGHT_WARNING: Final = Words(
    "Màn hình sẽ đổi màu, mỗi giây không quá hai lần. Nếu ông/bà nhạy cảm với ánh sáng, xin chọn "
    "không dùng ánh sáng màu",
    "The screen will change its colour, no more than twice a second. If you are sensitive to "
    "light, please choose to go without coloured light",
)
"""Shown before a challenge with light, beside the way to go without."""
NO_LIGHT: Final = Words("Không dùng ánh sáng màu", "Without coloured light")

_TURNS: Final = {
    (Side.LEFT, Extent.FULL): Words("Quay mặt sang trái", "Turn your face to the left"),
    (Side.RIGHT, Extent.FULL): Words("Quay mặt sang phải", "Turn your face to the right"),
    (Side.LEFT, Extent.HALF): Words(
        "Quay mặt hơi sang trái", "Turn your face a little to the left"
    ),
    (Side.RIGHT, Extent.HALF): Words(
        "Quay mặt hơi sang phải", "Turn your face a little to the right"
    ),
}
_DISTANCES: Final = {
    Action.NEARER: Words("Đưa mặt lại gần hơn, rồi trở lại", "Come closer, then move back"),
    Action.FARTHER: Words("Lùi mặt ra xa, rồi trở lại", "Move away, then come back"),
}
_BLINKS: Final = {
    1: Words("Xin chớp mắt", "Please blink"),
    2: Words("Xin chớp mắt hai lần", "Please blink twice"),
    3: Words("Xin chớp mắt ba lần", "Please blink three times"),
}


def instruction(step: Step) -> Words:
    """Return what to show and say when the step begins. Left and right are the person's own."""
    if step.side and step.extent:
        out = _TURNS[step.side, step.extent]
        return Words(f"{out.vi}, rồi quay trở lại", f"{out.en}, then turn back")
    return _BLINKS[step.count] if step.count else _DISTANCES[step.action]
