"""Count how photographs of invented cards are read: exactly, not at all, or wrongly.

    python -m tests.system.scan.count_scans --photos 500
    python -m tests.system.scan.count_scans --photos 500 --poor

The figures in `models/manifest.toml` and the model's card come from here.
"""

import argparse
import time
from collections import Counter

import numpy as np

from api.cli.card_photos import open_scanner
from devices.card_scan import scan_card_photo
from devices.emrtd.lds.mrz import Mrz, parse_mrz
from devices.errors import DeviceError
from tests.fixtures.card_photos import (
    invent_mrz,
    photograph,
    poor_conditions,
    print_back,
    random_conditions,
)


def proven(mrz: Mrz) -> tuple[object, ...]:
    """Return what check digits cover, and the states."""
    key = (mrz.document_number, mrz.optional_data, mrz.date_of_birth, mrz.date_of_expiry)
    return (*key, mrz.sex, mrz.format, mrz.issuer, mrz.nationality, mrz.document_code[:1])


def main() -> None:
    """Take and scan the photographs, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--poor", action="store_true", help="conditions to take it again in")
    parser.add_argument("--foreign", action="store_true", help="other documents: TD1, TD2, TD3")
    args = parser.parse_args()
    scanner = open_scanner()
    outcomes: Counter[str] = Counter()
    wall_ms, cpu_ms = [], []
    for seed in range(args.photos):
        rng = np.random.default_rng(seed + 1_000_000 * args.poor + 2_000_000 * args.foreign)
        kind = ("TD1", "TD2", "TD3")[seed % 3] if args.foreign else "TD1"
        issuer = str(rng.choice(["D", "FRA", "UTO", "KOR"])) if args.foreign else "VNM"
        mrz = invent_mrz(rng, kind, issuer)
        at = poor_conditions(rng) if args.poor else random_conditions(rng)
        photo = photograph(rng, print_back(rng, mrz, kind), at)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            found = scan_card_photo(photo, mrz=scanner).mrz
            right = found is not None and proven(found) == proven(parse_mrz(mrz))
            outcome = "exact" if right else "WRONG"
        except DeviceError as error:
            outcome = f"refused: {error.code}"
        outcomes[outcome] += 1
        if outcome == "exact":
            wall_ms.append(1000 * (time.perf_counter() - wall))
            cpu_ms.append(1000 * (time.process_time() - cpu))
    print(dict(outcomes))
    for name, values in (("wall", wall_ms), ("cpu", cpu_ms)):
        if values:
            middle, high = np.quantile(values, [0.5, 0.95])
            print(f"{name} of an exact read: median {middle:.0f} ms, 95 % {high:.0f} ms")


if __name__ == "__main__":
    main()
