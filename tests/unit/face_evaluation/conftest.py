"""A small world of people whose embeddings are drawn, and a pair list of their pictures."""

import numpy as np
import pytest

from biometrics.detection import FaceMissingError
from biometrics.evaluation.pairs import load_pairs

PEOPLE = 40
DIMENSIONS = 24


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Return a pair list of two folds, and an encoder that reads a person from the pixels."""
    import cv2

    folder = tmp_path_factory.mktemp("world")
    random = np.random.default_rng(7)
    people = {name: random.normal(0, 1, (PEOPLE, DIMENSIONS)) for name in ("one", "two")}
    rows = ["fold,mated,reference,probe,group"]
    for person in range(PEOPLE):
        for number in (1, 2, 3):
            picture = np.full((8, 8, 3), 100, np.uint8)
            picture[0, 0] = person, number, 0
            cv2.imwrite(str(folder / f"p{person:02d}_{number:04d}.png"), picture)
        fold, other = 1 + person % 2, (person + 2) % PEOPLE
        group = "old" if person % 4 < 2 else "young"
        rows.append(f"{fold},1,p{person:02d}_0001.png,p{person:02d}_0002.png,{group}")
        rows.append(f"{fold},0,p{person:02d}_0002.png,p{other:02d}_0003.png,{group}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    def encode(image):
        person, number, _ = (int(v) for v in image[0, 0])
        if (person, number) == (5, 2):
            raise FaceMissingError("no face was found in the picture")
        found = {}
        for name, noise in (("one", 0.5), ("two", 0.9)):
            own = np.random.default_rng(1000 * person + number)
            vector = people[name][person] + own.normal(0, noise, DIMENSIONS)
            found[name] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return found

    return load_pairs(folder / "pairs.csv"), encode
