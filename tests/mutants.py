"""Files as the field sends them and as it must not: each mutant with the verdict that it must get.

A mutant is made from a seed, so that any one can be made again: `write(seed, folder)`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat

# A file that SAS wrote, of the tests of sas7bdat_converter 4.0.0; its licence (MIT) lies beside it.
REAL = Path(__file__).parent / "integration/fixtures/real.sas7bdat.gz"
Table = list[list[str]]  # the header, then the rows


class Verdict(StrEnum):
    """What loading must end in."""

    LOADS = "loads"
    REJECTS = "loads, with rows rejected"
    ERROR = "a clear error, and no snapshot"


def labs(rng: random.Random) -> Table:
    """A table of laboratory results."""
    rows = [
        [f"{subject:02d}", test, f"{rng.uniform(1, 999):.1f}", "10^9/L", f"2026-01-{day:02d}"]
        for subject in range(1, rng.randint(2, 5))
        for test in ("PLAT", "ALT")
        for day in range(1, rng.randint(2, 6))
    ]
    return [["USUBJID", "LBTESTCD", "LBSTRESN", "LBSTRESU", "LBDTC"], *rows]


# ---------------------------------------------------------------- a table as a file's bytes


def text(table: Table, delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    return made.getvalue()


def as_csv(table: Table) -> bytes:
    return text(table).encode()


def ndjson(table: Table, **more: Any) -> bytes:
    columns = [{"itemOID": name, "name": name, "label": name, "dataType": "string"} for name in table[0]]
    head = {"datasetJSONVersion": "1.1.0", "columns": columns, **more}
    return "".join(json.dumps(each) + "\n" for each in (head, *table[1:])).encode()


def as_json(table: Table, **more: Any) -> bytes:
    head, *rows = (json.loads(line) for line in ndjson(table, **more).splitlines())
    return json.dumps({**head, "rows": rows}).encode()


def frame(table: Table) -> pd.DataFrame:
    return pd.DataFrame(table[1:], columns=table[0]).astype({"LBSTRESN": float})


def as_xpt(table: Table, path: Path) -> None:
    pyreadstat.write_xport(frame(table), str(path), file_format_version=5)


def as_xlsx(table: Table, path: Path, titles: tuple[str, ...] = ("LB",)) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title in titles:
        sheet = book.create_sheet(title)
        for row in table:
            sheet.append(row)
    book.save(path)


def zipped(members: Mapping[str, bytes], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


# ---------------------------------------------------------------- mutants that load


def plain(table: Table, rng: random.Random, folder: Path) -> None:
    form = rng.choice([",", ";", "\t", "|"])
    end = rng.choice(["\n", "\r\n", "\r"])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1"])
    content = text(table, form, end, quoting).replace("10^9", "10^9 µ" if rng.random() < 0.5 else "10^9")
    (folder / rng.choice(["lb.csv", "LB.CSV", "lbch.txt", "lb1.tsv"])).write_bytes(content.encode(encoding))


def other_formats(table: Table, rng: random.Random, folder: Path) -> None:
    form = rng.choice(["xpt", "parquet", "xlsx", "json", "ndjson", "dsjc"])
    path = folder / f"lb.{form}"
    if form == "xpt":
        as_xpt(table, path)
    elif form == "parquet":
        frame(table).to_parquet(path)
    elif form == "xlsx":
        as_xlsx(table, path, (rng.choice(["LB", "Sheet1", "Лист1"]),))
    else:
        makers: dict[str, Callable[[Table], bytes]] = {
            "json": as_json,
            "ndjson": ndjson,
            "dsjc": lambda given: zlib.compress(ndjson(given)),
        }
        path.write_bytes(makers[form](table))


def packed(table: Table, rng: random.Random, folder: Path) -> None:
    content = as_csv(table)
    name = rng.choice(["lb.csv", "../../lb.csv", "/etc/lb.csv", "a/b/lb.csv", "C:\\lb.csv", "a b/lb.csv"])
    kind = rng.choice(["zip", "gz", "twice", "nested", "other"])
    if kind == "gz":
        (folder / "lb.csv.gz").write_bytes(gzip.compress(content))
    elif kind == "nested":
        zipped({name: content}, folder / "inner.zip")
        zipped({"inner.zip": (folder / "inner.zip").read_bytes()}, folder / "outer.zip")
        (folder / "inner.zip").unlink()
    else:
        more = {"twice": {"copy/lb.csv": content}, "other": {"readme.pdf": b"x", "d/": b""}}.get(kind, {})
        zipped({name.replace("C:\\", "C/"): content, **more}, folder / "x.zip")


def arranged(table: Table, rng: random.Random, folder: Path) -> None:
    """Rows and columns in another order, columns more, names in lower case, blanks around values."""
    order = list(range(len(table[0])))
    rng.shuffle(order)
    rows = [[row[place] for place in order] for row in table]
    body = rows[1:]
    rng.shuffle(body)
    header = [rng.choice([name, name.lower(), f" {name} "]) for name in rows[0]]
    if rng.random() < 0.5:
        header.append(rng.choice(["NOTE", "Größe", "x.y", "select", "a;b"]))
        body = [[*row, rng.choice(["", "=1+1", '5" tube', "a\nb", "肺栓塞", "NaN"])] for row in body]
    blank = rng.choice(["", " ", "\u00a0", "\t"])
    (folder / "lb.csv").write_text(text([header, *[[blank + cell for cell in row] for row in body]]))


def values(table: Table, rng: random.Random, folder: Path) -> None:
    """Results and dates that are no numbers and no dates: kept, and listed."""
    for row in table[1:]:
        if rng.random() < 0.5:
            row[2] = rng.choice(
                ["<5", "1,5", "NOT DONE", "1e400", ".", "", "0x1F", "inf", "٣", "1_0", "9" * 400, "-0", "+5."]
            )
        if rng.random() < 0.5:
            row[4] = rng.choice(["2026", "2026-13-01", "-----", "07/01/2026", "2026-01-07T25:00", "x" * 5000])
    (folder / "lb.csv").write_bytes(as_csv(table))


def sizes(table: Table, rng: random.Random, folder: Path) -> None:
    """No row at all, one, repeats, a long text, many columns, files beside it, parts."""
    kind = rng.choice(["none", "one", "repeats", "long", "wide", "beside", "parts", "blank end"])
    if kind in ("none", "one"):
        table = table[: 1 if kind == "none" else 2]
    if kind == "repeats":
        table = table + table[1:] * rng.randint(1, 3)
    if kind == "long":
        table[1][1] = "P" * 100_000
    if kind == "wide":
        table = [[*row, *[f"C{n}" if row is table[0] else "" for n in range(500)]] for row in table]
    if kind == "parts":
        half = len(table) // 2
        (folder / "lbhe.csv").write_bytes(as_csv([table[0], *table[half:]]))
        table = table[:half]
    if kind == "beside":
        (folder / "old").mkdir()
        for name in ("notes.docx", "qs.csv", "README", ".hidden", "x.sas", "lb.log"):
            (folder / name).write_bytes(rng.randbytes(50))
    (folder / "lb.csv").write_bytes(as_csv(table) + b"\n\r\n" * (3 if kind == "blank end" else 0))


# ---------------------------------------------------------------- mutants with rows to reject


def rejects(table: Table, rng: random.Random, folder: Path) -> None:
    place = rng.choice([0, 1])
    for row in rng.sample(table[1:], rng.randint(1, len(table) - 2)):
        row[place] = rng.choice(["", " ", "NaN", "\u00a0"])
    if rng.random() < 0.5:
        (folder / "lb.ndjson").write_bytes(ndjson(table))
    else:
        (folder / "lb.csv").write_bytes(as_csv(table))


# ---------------------------------------------------------------- mutants to refuse


def cut(table: Table, rng: random.Random, folder: Path) -> None:
    """A file that ends too early."""
    form = rng.choice(["xpt", "parquet", "xlsx", "json", "ndjson", "dsjc", "csv", "zip", "gz", "quote"])
    path = folder / f"lb.{form}"
    whole = {
        "json": as_json(table),
        "ndjson": ndjson(table, records=len(table) - 1),
        "dsjc": zlib.compress(ndjson(table)),
        "csv": as_csv(table)[: -len(table[-1][-1]) - 2],
        "gz": gzip.compress(as_csv(table)),
        "quote": as_csv(table) + b'"01,PLAT\n',
    }
    if form in whole:
        path = path.with_name({"gz": "lb.csv.gz", "quote": "lb.csv"}.get(form, path.name))
        content = whole[form]
    else:
        if form == "zip":
            zipped({"lb.csv": as_csv(table)}, path)
        else:
            other: dict[str, Callable[[Table, Path], object]] = {
                "xpt": as_xpt,
                "xlsx": as_xlsx,
                "parquet": lambda t, p: frame(t).to_parquet(p),
            }
            other[form](table, path)
        content = path.read_bytes()
    if form not in ("csv", "quote"):
        length = rng.randint(1, len(content) - 5)
        content = content[: length + (form == "xpt" and length % 80 == 0)]
    path.write_bytes(content)


def damaged(table: Table, rng: random.Random, folder: Path) -> None:
    """Bytes that no such file can hold."""
    content = as_csv(table)
    kind = rng.choice(["empty", "nul", "noise", "extension", "gb18030", "ragged", "blank", "xls", "half"])
    made: dict[str, tuple[str, bytes]] = {
        "empty": (rng.choice(["lb.csv", "lb.xpt", "lb.json", "lb.parquet", "lb.xlsx"]), b""),
        "nul": ("lb.csv", content.replace(b"PLAT", b"PL\x00T")),
        "noise": (
            rng.choice(["lb.xpt", "lb.parquet", "lb.xlsx", "lb.sas7bdat", "lb.json"]),
            rng.randbytes(960),
        ),
        "extension": (rng.choice(["lb.xpt", "lb.parquet", "lb.xlsx", "lb.json", "lb.ndjson"]), content),
        "gb18030": ("lb.csv", content.decode().replace("PLAT", "肺栓塞").encode("gb18030")),
        "ragged": ("lb.csv", content + b"01,PLAT,1\n"),
        "blank": ("lb.csv", content + b"\n\n" + content.splitlines()[1] + b"\n"),
        "xls": (rng.choice(["lb.xls", "lb.sav", "lb.7z"]), content),
        "half": ("lb.csv", content.decode().encode("utf-16")[2:]),
    }
    name, content = made[kind]
    (folder / name).write_bytes(content)


def misshaped(table: Table, rng: random.Random, folder: Path) -> None:
    """Tables that can't be one."""
    kind = rng.choice(["twice", "unnamed", "missing", "wide", "rivals", "hash", "swapped"])
    header = table[0]
    if kind == "twice":
        header[3] = rng.choice(["USUBJID", "usubjid", " USUBJID"])
    elif kind == "unnamed":
        header[3] = rng.choice(["", " "])
    elif kind in ("missing", "swapped"):
        header[0], header[3] = ("SUBJECT", header[3]) if kind == "missing" else ("LBSTRESU", "SUBJ")
    elif kind == "wide":
        table = [[*row, *[f"C{n}" if row is header else "" for n in range(1100)]] for row in table]
    elif kind == "hash":
        header[3] = "#ROW"
    if kind == "rivals":
        (folder / "lb.tsv").write_text(text(table[:-1], "\t"))
    (folder / "lb.csv").write_bytes(as_csv(table))


def workbook(table: Table, rng: random.Random, folder: Path) -> None:
    """Workbooks with cells, or sheets, that can't be used."""
    kind = rng.choice(["formula", "error", "stray", "sheets", "empty"])
    given: list[list[Any]] = [list(row) for row in table]
    if kind == "formula":
        given[1][2] = "=1+1"
    elif kind == "error":
        given[1][2] = "#REF!"
    elif kind == "stray":
        given[1].append("lost")
    elif kind == "empty":
        given = []
    as_xlsx(given, folder / "lb.xlsx", ("One", "Two") if kind == "sheets" else ("LB",))


def bombs(table: Table, rng: random.Random, folder: Path) -> None:
    """Files that would fill the machine."""
    kind = rng.choice(["zip", "gz", "deep", "many", "field", "dsjc"])
    zeros = as_csv(table) + b"0" * 11_000_000
    if kind == "zip":
        zipped({"lb.csv": zeros}, folder / "x.zip")
    elif kind == "gz":
        (folder / "lb.csv.gz").write_bytes(gzip.compress(zeros))
    elif kind == "dsjc":
        (folder / "lb.dsjc").write_bytes(zlib.compress(ndjson(table) + b"0" * 11_000_000))
    elif kind == "deep":
        content = as_csv(table)
        for number in range(6):
            zipped({"lb.csv" if not number else "lb.zip": content}, folder / "x.zip")
            content = (folder / "x.zip").read_bytes()
    elif kind == "many":
        zipped({f"f{n}.pdf": b"" for n in range(200)} | {"lb.csv": as_csv(table)}, folder / "x.zip")
    else:
        table[1][1] = "P" * 1_100_000
        (folder / "lb.csv").write_bytes(as_csv(table))


# ---------------------------------------------------------------- changed bytes


def flipped(seed: int, folder: Path) -> tuple[str, None]:
    """A file of any format with some of its bytes changed: whether it can be read, nobody knows before."""
    rng = random.Random(seed)
    form = ("xpt", "xpt8", "parquet", "xlsx", "json", "dsjc", "zip", "gz", "sas7bdat")[seed % 9]
    table, path = labs(rng), folder / f"lb.{form}"
    if form == "xpt8":
        path = folder / "lb.xpt"
        dated = frame(table).assign(LBDTC=[date.fromisoformat(row[-1]) for row in table[1:]])
        pyreadstat.write_xport(dated, str(path), file_format_version=8)
    elif form in ("xpt", "xlsx"):
        {"xpt": as_xpt, "xlsx": as_xlsx}[form](table, path)
    elif form == "parquet":
        frame(table).to_parquet(path)
    elif form == "zip":
        zipped({"lb.csv": as_csv(table)}, path)
    else:
        path = folder / "lb.csv.gz" if form == "gz" else path
        made = {
            "json": lambda: as_json(table),
            "dsjc": lambda: zlib.compress(ndjson(table)),
            "gz": lambda: gzip.compress(as_csv(table)),
            "sas7bdat": lambda: gzip.decompress(REAL.read_bytes()),
        }
        path.write_bytes(made[form]())
    content = bytearray(path.read_bytes())
    filled = [place for place, byte in enumerate(content) if byte]
    for _ in range(rng.choice([1, 3, 20])):
        content[rng.choice(filled)] = rng.randrange(256)
    path.write_bytes(content)
    return form, None


Maker = Callable[[Table, random.Random, Path], None]
MAKERS: tuple[tuple[Maker, Verdict, int], ...] = (
    (plain, Verdict.LOADS, 14),
    (other_formats, Verdict.LOADS, 10),
    (packed, Verdict.LOADS, 10),
    (arranged, Verdict.LOADS, 12),
    (values, Verdict.LOADS, 10),
    (sizes, Verdict.LOADS, 8),
    (rejects, Verdict.REJECTS, 8),
    (cut, Verdict.ERROR, 10),
    (damaged, Verdict.ERROR, 8),
    (misshaped, Verdict.ERROR, 6),
    (workbook, Verdict.ERROR, 2),
    (bombs, Verdict.ERROR, 2),
)
CYCLE = tuple((maker, verdict) for maker, verdict, times in MAKERS for _ in range(times))


def write(seed: int, folder: Path) -> tuple[str, Verdict]:
    """Write the mutant of a seed; gives its kind and the verdict that it must get."""
    rng = random.Random(seed)
    maker, verdict = CYCLE[seed % len(CYCLE)]
    maker(labs(rng), rng, folder)
    return maker.__name__, verdict
