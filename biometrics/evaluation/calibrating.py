"""Make an operating-point file from a pair list."""

from collections.abc import Mapping, Sequence

import numpy as np

from biometrics.calibration import (
    CalibratedModel,
    Calibration,
    CalibrationData,
    CalibrationFold,
)
from biometrics.evaluation.degradation import Degradation
from biometrics.evaluation.errors import CalibrationRefusedError
from biometrics.evaluation.faces import (
    EncodedPictures,
    PairCosines,
    fold_sha256,
    pictures_sha256,
)
from biometrics.evaluation.fitting import PRIOR, choose_points, fit_llr, people_pairs
from biometrics.evaluation.llr_cost import cllr, cllr_min
from biometrics.evaluation.pairs import PairList
from biometrics.evaluation.subjects import SubjectRule
from biometrics.types import FloatArray


def make_calibration(
    pairs: PairList,
    encoded: EncodedPictures,
    compared: PairCosines,
    centres: Mapping[str, FloatArray],
    *,
    comparison: str,
    models: Sequence[tuple[str, str]],
    path_version: str,
    created_by: str,
    all_pairs: bool,
    degradation: Degradation | None,
    subjects: SubjectRule,
) -> Calibration:
    """Fit, choose the operating points, and write down what they came from.

    Args:
        pairs: the folds to calibrate on, and no others.
        encoded: their pictures.
        compared: their pairs, a column a model.
        centres: what the pairs' cosines were taken from, by model, in column order.
        comparison: name of the comparison.
        models: name and digest of the first published file of each model, in column order.
        path_version: version of the path from picture to embedding.
        created_by: the command, without folders.
        all_pairs: whether `compared` holds every cross pair.
        degradation: what was done to one side.
        subjects: whose face counted where a picture showed several.

    Raises:
        ScoresInvalidError: a class has no pair, or a similarity is not a finite number.
        CalibrationRefusedError: the fit is refused, or the data support no operating point.
    """
    mated = compared.acquired & compared.mated
    nonmated = compared.acquired & ~compared.mated
    names = tuple(name for name, _ in models)
    fitted = fit_llr(compared.cosines[mated], compared.cosines[nonmated], names=names)
    genuine, impostor = fitted(compared.cosines[mated]), fitted(compared.cosines[nonmated])
    people = pairs.people[compared.reference[nonmated]], pairs.people[compared.probe[nonmated]]
    points, unsupported = choose_points(genuine, impostor, people)
    if not points:
        raise CalibrationRefusedError("; ".join(unsupported.values()))
    return Calibration(
        schema="chinhchu-calibration-1",
        created_by=created_by,
        comparison=comparison,
        path_version=path_version,
        data=CalibrationData(
            file=pairs.file,
            sha256=pairs.sha256,
            pictures_sha256=pictures_sha256(encoded.digests),
            folds=tuple(
                CalibrationFold(
                    name=name,
                    pictures=int(pairs.pictures_of_folds([name]).sum()),
                    pictures_sha256=fold_sha256(pairs, encoded, name),
                )
                for name in pairs.folds
            ),
            pairs="all" if all_pairs else "listed",
            degradation=degradation.name if degradation else None,
            subjects=subjects,
            people=pairs.people_count,
            pictures=len(pairs.paths),
            failures_to_acquire=sum(encoded.failures.values()),
            mated_pairs=int(np.count_nonzero(mated)),
            nonmated_pairs=int(np.count_nonzero(nonmated)),
            nonmated_people_pairs=people_pairs(people),
        ),
        prior=PRIOR,
        offset=fitted.offset,
        models=tuple(
            CalibratedModel(
                name=name,
                sha256=sha256,
                weight=weight,
                centre=tuple(round(float(x), 3) for x in centres[name]),
            )
            for (name, sha256), weight in zip(models, fitted.weights, strict=True)
        ),
        cllr=round(cllr(genuine, impostor), 6),
        cllr_min=round(cllr_min(genuine, impostor), 6),
        operating_points=points,
        unsupported=unsupported,
    )
