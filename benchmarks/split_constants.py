"""Split mathematical constants into parts exact in f32 and f64; print `constants.py`.

Takes nothing; gives the text of `compiler/maths/constants.py` on standard output.
Must not know how the parts are used, beyond how many bits the first part may have.
"""

from __future__ import annotations

from mpmath import floor, mp, mpf

mp.prec = 2400

PRECISION = {"f32": 24, "f64": 53}
# Leading parts that are multiplied by an exponent (8 or 11 bits and sign) must leave room for it.
TRIMMED = {"f32": 15, "f64": 41}
# Words of 1/(2*pi): bits each and how many of them the largest exponent can reach.
TURN_BITS = {"f32": 22, "f64": 50}
TURN_COUNT = {"f32": 9, "f64": 24}

HEADER = '''"""Mathematical constants split into parts exact in their dtype, most significant first.

Takes nothing; gives tables keyed by dtype.
Must not be edited: `benchmarks/split_constants.py` derives and prints this file.
"""

from __future__ import annotations

Table = dict[str, tuple[float, ...]]
'''


def split(value: mpf, precisions: list[int]) -> list[float]:
    parts = []
    for precision in precisions:
        with mp.workprec(precision):
            part = +value
        parts.append(float(part))
        value -= part
    return parts


def words(value: mpf, bits: int, count: int) -> list[float]:
    """Fixed-point words of a number below 1, each scaled into [0, 1)."""
    found = []
    for _ in range(count):
        value *= mpf(2) ** bits
        whole = floor(value)
        found.append(float(whole / mpf(2) ** bits))
        value -= whole
    return found


def table(name: str, comment: str, rows: dict[str, list[float]]) -> str:
    lines = [f"# {comment}", f"{name}: Table = {{"]
    for dtype, parts in rows.items():
        lines.append(f'    "{dtype}": (')
        lines.extend(f"        {part!r}," for part in parts)
        lines.append("    ),")
    return "\n".join([*lines, "}"])


def parts_table(name: str, comment: str, value: mpf, count: int, trim: bool = False) -> str:
    rows = {}
    for dtype, precision in PRECISION.items():
        precisions = [TRIMMED[dtype] if trim else precision] + [precision] * (count - 1)
        rows[dtype] = split(value, precisions)
    return table(name, comment, rows)


def main() -> None:
    turn = 1 / (2 * mp.pi)
    rows = {d: words(turn, TURN_BITS[d], TURN_COUNT[d]) for d in PRECISION}
    sections = [
        parts_table("LN2", "log(2); the first part times an exponent is exact", mp.ln2, 2, True),
        parts_table("LOG2_E", "1/log(2)", 1 / mp.ln2, 2),
        parts_table("LOG10_E", "1/log(10)", 1 / mp.log(10), 2),
        parts_table(
            "LOG10_2", "log10(2); the first part times an exponent is exact", mp.log10(2), 2, True
        ),
        parts_table("HALF_PI", "pi/2", mp.pi / 2, 3),
        parts_table("TWO_OVER_PI", "2/pi", 2 / mp.pi, 1),
        parts_table("TWO_LOG2_E", "2/log(2)", 2 / mp.ln2, 2),
        parts_table("TWO_THIRDS_LOG2_E", "2/(3*log(2))", 2 / (3 * mp.ln2), 2),
        parts_table(
            "DIGAMMA_ROOT",
            "the positive root of digamma",
            mp.findroot(mp.digamma, mpf("1.4616321449683623")),
            2,
        ),
        f"TURN_BITS = {TURN_BITS!r}".replace("'", '"'),
        table("TURN_WORDS", "1/(2*pi) in words of TURN_BITS bits, each scaled by 1/2**bits", rows),
    ]
    print(HEADER)
    print("\n\n".join(sections))


if __name__ == "__main__":
    main()
