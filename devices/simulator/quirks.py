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
    "aa-ecdsa-der",
    "aa-sha1-trailer-33cc",
    "ecdsa-extra-zeros",
    "surplus-bytes-after-files",
    "portrait-trailing-padding",
    "dg13-flat-parents",
    "dg13-absent-fields",
    "dg13-128-byte-strings",
    "dg14-unsorted",
    "dg14-disagrees-with-card-access",
    "dg15-modulus-without-00",
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
        "READ BINARY with even INS answers 6B00 if its data would go beyond offset 0x7FFF."
    ),
    "full-read-6282": (
        "READ BINARY of 256 bytes or more gives them with 6282 although the file goes on."
    ),
    "read-beyond-end-6cxx": (
        "READ BINARY that asks for more than the file still holds answers 6Cxx with the exact "
        "number, if that is below 256, in place of the data."
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
    "aa-ecdsa-der": "Active Authentication by ECDSA gives ECDSA-Sig-Value in place of r ‖ s.",
    "aa-sha1-trailer-33cc": (
        "A signature of Active Authentication by RSA and SHA-1 ends by 33CC in place of BC."
    ),
    "ecdsa-extra-zeros": (
        "The integers of the ECDSA signature in EF.SOD begin with a surplus 00, as DER forbids."
    ),
    "surplus-bytes-after-files": "Each file goes on for some bytes after the end of its object.",
    "portrait-trailing-padding": "The portrait in DG2 is followed by zeros within its data object.",
    "dg13-flat-parents": "DG13 holds both parents' names in one sequence.",
    "dg13-absent-fields": (
        "DG13 leaves out the fields that are empty in the profile, not only the old number."
    ),
    "dg13-128-byte-strings": (
        "The place of residence in DG13 has 128 bytes, so that its length takes two."
    ),
    "dg14-unsorted": "The members of the SET in DG14 are not in DER's order.",
    "dg14-disagrees-with-card-access": (
        "DG14 announces PACE with AES-256, which EF.CardAccess leaves out, as after a downgrade."
    ),
    "dg15-modulus-without-00": "The RSA modulus in DG15 lacks its leading 00.",
}
"""What each quirk does, a sentence each."""

VIETNAMESE_QUIRKS: tuple[Quirk, ...] = (
    "select-mf-6d00",
    "card-access-6982-after-aid",
    "dg3-behind-terminal-authentication",
)
