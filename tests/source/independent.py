"""The encoding written a second time, from its description: hashlib and plain Python, nothing of ours.

HMAC by RFC 2104, HKDF by RFC 5869. Tables (particles, phonetic rules …) come from the frozen vectors.
"""

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

Tables = dict[str, Any]
Person = dict[str, str]
Plain = dict[str, str | None]


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, for keys of at most 64 bytes."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()


def subkey(key: bytes, purpose: str) -> bytes:
    """RFC 5869, 32 bytes: extract with a zero salt, one block of expansion."""
    extracted = hmac_sha256(bytes(32), key)
    return hmac_sha256(extracted, f"nonrecours/1/{purpose}".encode() + b"\x01")


def fingerprint(key: bytes) -> str:
    return hmac_sha256(subkey(key, "empreinte"), b"nonrecours: valeur de controle de la cle").hex()[:16]


def engagement(ceremonie: str, nombre: int, secret: bytes) -> str:
    return hashlib.sha256(f"nonrecours/1/engagement/{ceremonie}/{nombre}/".encode() + secret).hexdigest()[:16]


def token(key: bytes, purpose: str, text: str) -> str:
    return hmac_sha256(subkey(key, purpose), text.encode())[:16].hex()


def bloom(key: bytes, purpose: str, date: str, words: str) -> list[int]:
    """Eight signed 64-bit words and the number of bits: fifteen 9-bit positions per salted bigram."""
    function, bits = subkey(key, purpose), 0
    for word in (f"_{word}_" for word in words.split()):
        for first, second in pairwise(word):
            digest = hmac_sha256(function, f"{date}|{first}{second}".encode())
            for at in range(0, 30, 2):
                bits |= 1 << int.from_bytes(digest[at : at + 2], "little") % 512
    raw = bits.to_bytes(64, "little")
    return [int.from_bytes(raw[at : at + 8], "little", signed=True) for at in range(0, 64, 8)] + [
        bits.bit_count()
    ]


def letters(text: str, tables: Tables) -> str:
    """Upper-case words of A–Z; empty when nothing is left."""
    upper = unicodedata.normalize("NFKD", text).upper()
    for one, several in tables["ligatures"].items():
        upper = upper.replace(one, several)
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", upper) if not unicodedata.category(c).startswith("M")
    )
    words = re.sub("[^A-Z]+", " ", bare).split()
    return " ".join({"ST": "SAINT", "STE": "SAINTE"}.get(word, word) for word in words)


def names(person: Person, tables: Tables) -> Plain:
    birth, used = letters(person["nom_naissance"], tables), letters(person["nom_usage"], tables)
    given = _meaningful(letters(person["prenoms"], tables), tables)
    return {
        "naissance": _main(birth, tables) or _alternate(used, tables),
        "usage": _main(used, tables) or _alternate(birth, tables),
        "prenoms": given,
        "prenom": given.split()[0] if given else None,
    }


def _meaningful(words: str, tables: Tables) -> str | None:
    return None if words in ("", *tables["sans_sens"]) else words


def _main(name: str, tables: Tables) -> str | None:
    return _meaningful(re.sub(rf"(.) (?:{'|'.join(tables['autres_noms'])}) .+$", r"\1", name), tables)


def _alternate(name: str, tables: Tables) -> str | None:
    found = re.search(rf"[A-Z] (?:{'|'.join(tables['autres_noms'])}) (.+)$", name)
    return _meaningful(found[1], tables) if found else None


def joined(words: str | None, tables: Tables) -> str | None:
    if words is None:
        return None
    return re.sub(rf"\b({'|'.join(tables['particules'])}) +", r"\1", words)


def birth(text: str, mois: str) -> Plain:
    """date, annee, mois: a whole date, or its year alone."""
    form = re.match(r"(\d{4})-(\d\d)-(\d\d)", text)
    if not form or not int(mois[:4]) - 120 <= int(form[1]) <= int(mois[:4]):
        return {"date": None, "annee": None}
    try:
        whole = datetime.date(*map(int, form.groups())).isoformat()  # type: ignore[arg-type]
    except ValueError:
        whole = None
    return {"date": whole if whole and whole[:7] <= mois else None, "annee": form[1]}


def phonetic(name: str | None, tables: Tables) -> str | None:
    if name is None:
        return None
    code = name
    for pattern, replacement in tables["regles_phonetiques"]:
        code = re.sub(pattern, replacement, code)
    return code or name


def right_number(nir: str) -> bool:
    """Fifteen characters whose last two are 97 − (the others mod 97)."""
    digits = nir[:13].replace("2A", "19").replace("2B", "18")
    return len(nir) == 15 and digits.isdigit() and int(nir[13:]) == 97 - int(digits) % 97


def plain(person: Person, mois: str, tables: Tables) -> Plain:
    """Every text that is hashed, or what it is made of."""
    name, born = names(person, tables), birth(person["date_naissance"], mois)
    number = re.sub(r"[\s.\-]", "", person["nir"]).upper()
    compact = {k: (name[k] or "").replace(" ", "") or None for k in ("naissance", "usage")}
    date, commune = born["date"], person["commune_insee"] or None
    heard = {k: phonetic(compact[k], tables) for k in ("naissance", "usage")}
    given = phonetic(name["prenom"], tables)
    return {
        **born,
        **compact,
        "nir": number[:13] if right_number(number) and number[0] in "12" else None,
        "nir_provisoire": number[:13] if right_number(number) and number[0] in "3478" else None,
        "prenom": name["prenom"],
        "initiale": name["prenom"][0] if name["prenom"] else None,
        "lieu": person["lieu_naissance"] or None,
        "lieu_su": person["lieu_naissance"],
        "commune": commune,
        "date_commune": f"{date}|{commune}" if date and commune else None,
        "chiffres": "".join(sorted(date.replace("-", ""))) if date else None,
        "mots_naissance": joined(name["naissance"], tables),
        "mots_usage": joined(name["usage"], tables),
        "mots_prenoms": name["prenoms"],
        "phon_prenom": given,
        **{f"phon_{k}": code for k, code in heard.items()},
        **{f"debut_{k}": text[:3] if text else None for k, text in compact.items()},
        **{
            f"paire_{k}": "|".join(sorted((code, given))) if code and given else None
            for k, code in heard.items()
        },
    }


def _pair(name: str | None, given: str | None) -> str | None:
    return "|".join(sorted((name, given))) if name and given else None


def identity(key: bytes, generation: str, texts: Plain, composition: dict[str, list[str]]) -> dict[str, Any]:
    """Every delivered token and filter; ``composition``: column → field of the key, then what is joined."""
    found: dict[str, Any] = {}
    for column, (field, *parts) in composition.items():
        purpose, given = f"identite/{generation}/{field}", [texts[part] for part in parts]
        if column.startswith("filtre_"):
            values = bloom(key, purpose, *given) if _all(given) else [None] * 9  # type: ignore[arg-type]
            found |= dict(zip((f"{column}_{part}" for part in (*range(8), "bits")), values, strict=True))
        else:
            found[column] = token(key, purpose, "|".join(given)) if _all(given) else None  # type: ignore[arg-type]
    return found


def _all(values: Iterable[str | None]) -> bool:
    return all(value is not None for value in values)
