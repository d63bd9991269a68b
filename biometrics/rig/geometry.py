"""Sizes that all of the rig shares: of the scene around a sitter, and of the camera's frame."""

from typing import Final

UNIT_PX: Final = 110.0
"""Distance of the outer eye corners in the scene."""
UNIT_CM: Final = 9.0
"""...and in people."""
SCENE_PX: Final = (1200, 900)
MIDDLE_PX: Final = (600.0, 420.0)
"""Where the mesh's middle lies in the scene."""
FRAME_PX: Final = (640, 480)
GRID_STEP: Final = 4
GRID_PX: Final = (FRAME_PX[0] // GRID_STEP, FRAME_PX[1] // GRID_STEP)
"""Places of a frame for which is computed what is interpolated between."""
