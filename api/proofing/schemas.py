"""What goes over the wire: requests of relying parties and agents, and their answers."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# No control, format or unassigned character: people read these, and bidi marks would mislead them.
_VISIBLE = r"^\P{C}*$"
ShortText = Annotated[str, Field(min_length=1, max_length=200, pattern=_VISIBLE)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentIn(_Message):
    """One document that the assertion will be bound to; its bytes stay with the relying party."""

    role: Annotated[str, Field(min_length=1, max_length=64, pattern=_VISIBLE)]
    """Such as ``main`` or ``annex``; short, for fifty of them must fit into one assertion."""
    media_type: Annotated[str, Field(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=100)]
    sha256: Sha256Hex
    byte_length: Annotated[int, Field(gt=0, le=2**40)]
    title: Annotated[str | None, Field(max_length=500, pattern=_VISIBLE)] = None
    """Shown to the citizen; only its digest goes into the assertion."""


class SessionIn(_Message):
    """A relying party asks for one party of one dossier to be proofed."""

    procedure_code: ShortText
    audience: ShortText
    nonce: Annotated[str, Field(min_length=8, max_length=200, pattern=_VISIBLE)]
    dossier_id: ShortText
    party_role: ShortText
    purpose: ShortText
    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=50)]
    displayed_sha256: Sha256Hex | None = None
    """Digest of what the citizen is shown, where that is not the document itself."""
    expected_id_number: Annotated[str | None, Field(pattern=r"^[0-9]{12}$", repr=False)] = None
    """Personal number of the person who is expected; another's card ends the session. It is kept
    with the evidence and forgotten with it."""
    attendance_mode: Literal["unattended"] = "unattended"
    """Attended modes need an officer who has signed in, which this version does not have."""

    @classmethod
    def of_row(cls, stored: dict[str, Any]) -> Self:
        """Return a request as it was taken; a version before this one may have taken more."""
        documents = [DocumentIn.model_construct(**document) for document in stored["documents"]]
        return cls.model_construct(**{**stored, "documents": documents})


class ConsentIn(_Message):
    """The citizen's consent, a purpose each; nothing is taken for granted."""

    chip: Literal[True]
    face: Literal[True]


class CaptureIn(_Message):
    """Begin the capture; what the person asked for is taken into account."""

    light: bool = True
    """Whether the screen may throw coloured light: False for whoever does not want it."""
    pace: Literal["normal", "slow"] = "normal"
    """`slow` gives each step twice the time."""
    agent: Annotated[str | None, Field(max_length=4096, repr=False)] = None
    """What an enrolled device agent says of itself and its camera, signed (compact JWS)."""


class CaptureOut(_Message):
    """A capture that has begun: its time runs from the first frame, which must come soon."""

    attempt: int
    """1, or 2 after a first that a willing person may have got wrong."""
    challenge: dict[str, object]
    """What to ask of the person, and when."""
    first_frame_by: datetime


class AdviceOut(_Message):
    """What the person can do better in a new session."""

    reason: str
    """The one of `reasons` that it belongs to."""
    vi: str
    en: str


class SessionOut(_Message):
    """A session as its owner may see it: no score, nothing personal."""

    id: str
    state: str
    procedure_code: str
    procedure_name: dict[str, str]
    data_groups: list[int]
    deadline: datetime | None
    chip_challenge: str
    """Eight bytes in hex that the chip signs in Active Authentication."""
    capture: CaptureOut | None
    """The present or latest capture; null until one is begun."""
    attempts_left: int
    """How many captures may still be begun."""
    outcome: str | None
    """PASSED, INDETERMINATE or FAILED; null while the session goes on."""
    level: str | None
    reasons: list[str]
    """What can be told to the subject; the session's record has the rest."""
    advice: list[AdviceOut]
    """One for each reason that says that the pictures were not good enough."""


class ChipAuthenticationOut(_Message):
    """What the agent carries to the chip: nothing in it is secret."""

    oid: str
    """Object identifier of the protocol variant."""
    key_id: int | None
    """Number of the chip's key; null where DG14 gives it none."""
    public_key: str
    """The server's ephemeral public key, hex."""
    command: str
    """The command APDU that follows, sealed with the new session keys, hex."""


class RecordOut(_Message):
    """What the checks of a session found, for the office that asked: never for the subject."""

    id: str
    state: str
    outcome: str | None
    level: str | None
    reasons: list[str]
    """All of them."""
    captures: list[dict[str, object]]
    """An entry a capture that was judged: its reasons, face and liveness with what each signal
    measured and contributed, and where the frames came from. Kept for a day."""


class SessionCreated(SessionOut):
    """The answer to the request: the only time that the token is seen."""

    token: str


class ProcedureOut(_Message):
    """One procedure of the catalogue."""

    code: str
    version: str
    name: dict[str, str]
    minimum_level: str
    party_roles: list[str]
    attendance: list[str]
    claims: list[str]
    data_groups: list[int]
    minimum_age_years: int | None
    digest: str


class Problem(BaseModel):
    """An RFC 9457 problem; `code` is permanent and made for machines."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    errors: list[dict[str, str]] | None = None
