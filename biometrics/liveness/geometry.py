"""Tell a head from a picture of one by how its mesh moves when it turns.

The points of a plane follow one homography between two views; those of a head do not.
"""

import cv2
import numpy as np

from biometrics.landmarks import Mesh
from biometrics.types import FloatArray


def homography_residual(frontal: Mesh, turned: Mesh) -> float:
    """Return how far the mesh departs from the best homography to its frontal view.

    Mean distance of the 468 points in the frontal view, in outer-eye-corner distances; infinite if
    no homography fits. Source: models/facemesh.md, operating point `parallax`.
    """
    matrix, _ = cv2.findHomography(turned.points[:, :2], frontal.points[:, :2], 0)
    if matrix is None or frontal.eye_corner_px == 0:
        return float("inf")
    mapped = cv2.perspectiveTransform(turned.points[None, :, :2].copy(), matrix)[0]
    distance = np.linalg.norm(mapped - frontal.points[:, :2], axis=1).mean()
    return float(distance) / frontal.eye_corner_px


def foreshortening(frontal: Mesh, turned: Mesh) -> float:
    """Return the ratio of the smaller to the larger stretch of the best affine map, 0-1.

    1 for a face that only moved, came nearer or rolled; near cos(angle) for a turned plane.
    """
    source: FloatArray = np.hstack([turned.points[:, :2], np.ones((len(turned.points), 1))])
    affine = np.linalg.lstsq(source, frontal.points[:, :2], rcond=None)[0][:2]
    larger, smaller = np.linalg.svd(affine, compute_uv=False)
    return float(smaller / larger) if larger > 0 else 0.0
