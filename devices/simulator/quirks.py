"""Quirks of real cards, by name: the one table.

A quirk is a habit that a reader has to live with. What a card lacks or limits is in `limits`, what
goes wrong once is in `faults`. A card that speaks only PACE needs no quirk: `access = ["pace"]`.
"""

from typing import Literal

Quirk = Literal[
    # selecting and reading
    "select-mf-6d00",
    "card-access-6982-after-aid",
    "card-access-6283-on-select",
    "dg3-behind-terminal-authentication",
    "ef-dir-6982-before-access",
    "le-on-select-refused",
    "sfi-6a82",
    "sfi-6a86",
    "sfi-6b00",
    "odd-read-6d00",
    "even-read-crossing-7fff-6b00",
    "full-read-6282",
    "read-beyond-end-6cxx",
    "response-in-parts-61xx",
    "response-in-protected-parts-61xx",
    # access and authentication
    "pace-needs-do84",
    "pace-refuses-do84",
    "le-on-mse-refused",
    "mse-tells-tries",
    "aa-needs-extended-le",
    "aa-signature-without-leading-zeros",
    # secure messaging
    "too-much-answered-bare",
    "bare-status-advances-ssc",
    "bare-status-ends-session",
    "do99-missing",
    # contents
    "dg13-flat-parents",
]

QUIRKS: dict[Quirk, str] = {
    "select-mf-6d00": "SELECT of the master file answers 6D00.",
    "card-access-6982-after-aid": (
        "Once the application is selected, EF.CardAccess answers 6982 (without: the reserved "
        "identifier 011C is simply not found)."
    ),
    "card-access-6283-on-select": (
        "SELECT of EF.CardAccess answers the warning 6283 (deactivated); the file can be read."
    ),
    "dg3-behind-terminal-authentication": "EF.COM and EF.SOD list DG3, which answers 6982.",
    "ef-dir-6982-before-access": "EF.DIR answers 6982 until a session is open.",
    "le-on-select-refused": "SELECT with an Le field answers 6700.",
    "sfi-6a82": "READ BINARY by short EF identifier answers 6A82.",
    "sfi-6a86": "READ BINARY by short EF identifier answers 6A86.",
    "sfi-6b00": "READ BINARY by short EF identifier answers 6B00.",
    "odd-read-6d00": "READ BINARY with odd INS answers 6D00, so nothing beyond 0x7FFF can be read.",
    "even-read-crossing-7fff-6b00": (
        "READ BINARY with even INS answers 6B00 if it asks for a byte beyond offset 0x7FFF."
    ),
    "full-read-6282": (
        "READ BINARY of 256 bytes or more gives them with 6282 although the file goes on."
    ),
    "read-beyond-end-6cxx": (
        "READ BINARY that asks for more than the file's last 255 bytes hold answers 6Cxx with the "
        "exact number in place of data and 6282."
    ),
    "response-in-parts-61xx": (
        "A response longer than Le is not cut to fit but comes in parts: 61xx and GET RESPONSE, "
        "around secure messaging."
    ),
    "response-in-protected-parts-61xx": (
        "A protected response longer than Le comes in parts that are protected one by one: DO'99' "
        "holds 61xx, and GET RESPONSE is itself protected."
    ),
    "pace-needs-do84": "MSE:Set AT for PACE without DO'84' (parameterId) answers 6A80.",
    "pace-refuses-do84": "MSE:Set AT for PACE with DO'84' (parameterId) answers 6A80.",
    "le-on-mse-refused": "MANAGE SECURITY ENVIRONMENT with an Le field answers 6700.",
    "mse-tells-tries": (
        "MSE:Set AT for PACE answers the warning 63Cx while tries of the password are lost; needs "
        "the limit password_tries."
    ),
    "aa-needs-extended-le": (
        "INTERNAL AUTHENTICATE answers 6700 if the protected signature is longer than Le."
    ),
    "aa-signature-without-leading-zeros": (
        "A signature of Active Authentication by RSA comes as a number, shorter than the modulus "
        "if it begins with zeros."
    ),
    "too-much-answered-bare": (
        "READ BINARY that asks too much is answered without protection, the session unharmed."
    ),
    "bare-status-advances-ssc": (
        "A status word without protection counts: the send sequence counter goes on by two."
    ),
    "bare-status-ends-session": "A status word without protection ends the session.",
    "do99-missing": "A protected response with data lacks DO'99'.",
    "dg13-flat-parents": "DG13 holds both parents' names in one sequence.",
}
"""What each quirk does, a sentence each."""

VIETNAMESE_QUIRKS: tuple[Quirk, ...] = (
    "select-mf-6d00",
    "card-access-6982-after-aid",
    "dg3-behind-terminal-authentication",
)
