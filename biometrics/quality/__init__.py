"""Face image quality by the names of ISO/IEC 29794-5:2025, and what to tell the person to do."""

from biometrics.quality.assessment import (
    MEASURE_INVALID,
    Advice,
    QualityVerdict,
    Role,
    advise,
    assess_quality,
    quality_weight,
)
from biometrics.quality.components import quality_components
from biometrics.quality.measures import FaceQuality, measure_face_quality
from biometrics.quality.requirements import (
    QualityRequirements,
    RequirementsInvalidError,
    load_requirements,
)

__all__ = [
    "MEASURE_INVALID",
    "Advice",
    "FaceQuality",
    "QualityRequirements",
    "QualityVerdict",
    "RequirementsInvalidError",
    "Role",
    "advise",
    "assess_quality",
    "load_requirements",
    "measure_face_quality",
    "quality_components",
    "quality_weight",
]
