"""A phonetic code for French names, in the spirit of FONEM (Bouchard, Brard, Lavoie, Population 36-6, 1981).

The table is frozen: two partners with different tables would give different tokens. A change of :data:`RULES`
needs a new ``schemas.ENCODING_VERSION``.
"""

import re
from functools import lru_cache

RULES: tuple[tuple[str, str], ...] = (
    # groups of letters for one consonant (0 is "ch" as in chat, 9 is "gn" as in agneau)
    (r"SCH|SH|TCH", "CH"),
    (r"PH", "F"),
    (r"CH(?=[RLNT])", "K"),
    (r"CH", "0"),
    (r"H", ""),
    (r"GN(?=[AEIOUY])", "9"),
    (r"ILL(?=[AEIOUY])", "IY"),
    (r"CC(?=[EIY])", "KS"),
    (r"CK|CQU|QU|Q", "K"),
    (r"SC(?=[EIY])", "S"),
    (r"C(?=[EIY])", "S"),
    (r"C", "K"),
    (r"GE(?=[AOU])", "J"),
    (r"G(?=[EIY])", "J"),
    (r"GU(?=[EIY])", "G"),
    (r"BV", "V"),
    (r"W", "V"),
    (r"JEA", "JA"),
    (r"([A-Z0-9])\1+", r"\1"),
    # nasal vowels, before a consonant or at the end (5 in, 6 an, 7 on)
    (r"IE[NM](?=[B-DF-HJ-NP-TV-XZ09]|$)", "I5"),
    (r"(?:AI|EI|I|Y)[NM](?=[B-DF-HJ-NP-TV-XZ09]|$)", "5"),
    (r"[AE][NM](?=[B-DF-HJ-NP-TV-XZ09]|$)", "6"),
    (r"O[NM](?=[B-DF-HJ-NP-TV-XZ09]|$)", "7"),
    # endings that are written and not said (1 is a final é, told apart from a mute e)
    (r"(?<=[UO])L(?=[TDX]$)", ""),
    (r"(?<=.{2})(?:ETS?|ERS?|EZ|AI[STX]|[AE]Y)$", "1"),
    (r"(?<=.{2})(?:EE?S?|[DTSXZ]+)$", ""),
    (r"1", "E"),
    # vowels
    (r"EAU|AU", "O"),
    (r"OEU|EU", "E"),
    (r"OU", "U"),
    (r"[AE][IY]", "E"),
    (r"Y", "I"),
    # consonants said alike
    (r"Z", "S"),
    (r"X", "KS"),
    (r"([A-Z0-9])\1+", r"\1"),
)
"""Applied in order, each to the result of the one before."""

_COMPILED = tuple((re.compile(pattern), replacement) for pattern, replacement in RULES)


@lru_cache(maxsize=1 << 17)
def phonetic(compact_name: str) -> str:
    """The code of one name of letters A–Z without spaces; never empty for a name that is not.

    Names said alike in French share a code (PHILIPPE and FILIPE, DUPOND and DUPONT, RENAUD and REYNAULT);
    feminine forms keep theirs (MARTIN and MARTINE differ).
    """
    code = compact_name
    for pattern, replacement in _COMPILED:
        code = pattern.sub(replacement, code)
    return code or compact_name
