"""Laboratory records to grade, and the answers that are known (the project's domain facts, 4.1 to 4.3)."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Case:
    """A record, and its grades by CTCAE 5.0 and 6.0 as ATOXGRL/ATOXGRH: "1/0", "/" for none."""

    code: str
    value: str
    unit: str
    v5: str
    v6: str
    low: str = ""
    high: str = ""
    base: str = ""
    indicator: str = ""

    @property
    def cells(self) -> dict[str, str]:
        """The record as a row of a table."""
        names = ("LBTESTCD", "LBSTRESN", "LBSTRESU", "", "", "LBSTNRLO", "LBSTNRHI", "BASE", "BNRIND")
        given = [getattr(self, field.name) for field in fields(self)]
        return {name: value for name, value in zip(names, given, strict=True) if name}

    def __str__(self) -> str:
        return " ".join(filter(None, self.cells.values()))


def same(code: str, value: str, unit: str, grades: str, **limits: str) -> Case:
    """A record that both versions grade alike."""
    return Case(code, value, unit, grades, grades, **limits)


def _plat(value: str, v5: str, v6: str) -> Case:
    return Case("PLAT", value, "10^9/L", f"{v5}/", f"{v6}/", low="125", high="350")


def _neut(value: str, v5: str, v6: str) -> Case:
    return Case("NEUT", value, "10^9/L", f"{v5}/", f"{v6}/", low="1.8")


KNOWN = [
    *(_plat(*each) for each in (("75.0", "1", "1"), ("74.9", "2", "2"), ("50.0", "2", "2"))),
    *(_plat(*each) for each in (("49.9", "3", "3"), ("25.0", "3", "3"), ("24.9", "4", "3"))),
    *(_plat(*each) for each in (("10.0", "4", "3"), ("9.9", "4", "4"))),
    *(_plat(*each) for each in (("400", "0", "0"), ("450", "0", "0"), ("1000", "0", "0"))),
    *(_neut(*each) for each in (("1.6", "1", "0"), ("1.5", "1", "0"), ("1.0", "2", "1"), ("0.99", "3", "2"))),
    *(
        _neut(*each)
        for each in (("0.5", "3", "2"), ("0.49", "4", "3"), ("0.1", "4", "3"), ("0.09", "4", "4"))
    ),
    *(
        same("HGB", value, "g/L", f"{grade}/", low="130")
        for value, grade in (("100", 1), ("99.9", 2), ("80", 2), ("79.9", 3))
    ),
    Case("CREAT", "150", "umol/L", "/2", "/1", high="104", base="90", indicator="NORMAL"),
    same("CREAT", "80", "umol/L", "/0", high="104", base="60", indicator="NORMAL"),
    Case("ALT", "100", "U/L", "/1", "/2", high="40", base="60", indicator="HIGH"),
    same("ALT", "121", "U/L", "/2", high="40", base="30", indicator="NORMAL"),
    same("ALT", "120", "U/L", "/1", high="40", base="30", indicator="NORMAL"),
    same("BILI", "60", "umol/L", "/2", high="20", base="10", indicator="NORMAL"),
    same("BILI", "60.2", "umol/L", "/3", high="20", base="10", indicator="NORMAL"),
    *(
        same("K", value, "mmol/L", f"/{grade}", high="5.1")
        for value, grade in (("5.5", 1), ("5.51", 2), ("6.0", 2), ("6.01", 3))
    ),
    *(
        same("MG", value, "mmol/L", f"{grade}/", low="0.7")
        for value, grade in (("0.50", 1), ("0.49", 2), ("0.40", 2), ("0.39", 3))
    ),
]


def _series(code: str, unit: str, side: str, steps: str, **limits: str) -> list[Case]:
    """Cases "value=grade …" of one test; `side` is low or high."""
    made = []
    for step in steps.split():
        value, grade = step.split("=")
        other = "0" if code == "WBC" else ""  # a high count is graded without a limit
        grades = f"{grade}/{other}" if side == "low" else f"/{grade}"
        made.append(same(code, value, unit, grades, **limits))
    return made


# The boundaries of the terms that are alike in both versions, in all units that the text states.
ALIKE = [
    *_series("HGB", "g/dL", "low", "13=0 12.99=1 10=1 9.99=2 8=2 7.99=3", low="13"),
    *_series("HGB", "mmol/L", "low", "8.1=0 8=1 6.2=1 6.19=2 4.9=2 4.89=3", low="8.1"),
    *_series("WBC", "10^3/uL", "low", "4=0 3.9=1 3=1 2.99=2 2=2 1.99=3 1=3 0.99=4", low="4"),
    *_series("WBC", "/mm3", "low", "4000=0 3999=1 3000=1 2999=2 2000=2 1000=3 999=4", low="4000"),
    *_series("WBC", "10^9/L", "high", "100=0 100.1=3", high="10"),
    *_series("LYM", "10^9/L", "high", "4=0 4.01=2 20=2 20.1=3", high="3"),
    *_series("CD4", "10^9/L", "low", "0.5=1 0.49=2 0.2=2 0.19=3 0.05=3 0.049=4", low="0.6"),
    *_series("CD4", "/uL", "low", "600=0 599=1 500=1 499=2 200=2 199=3 50=3 49=4", low="600"),
    *_series("APTT", "s", "high", "35=0 35.1=1 52.5=1 52.6=2 87.5=2 87.6=3", high="35"),
    *_series("HGB", "g/L", "high", "170=0 170.1=1 190=1 190.1=2 210=2 210.1=3", high="170"),
    *_series("HGB", "g/dL", "high", "17=0 17.01=1 19=1 19.01=2 21=2 21.01=3", high="17"),
    *_series("FIBRINO", "g/L", "low", "2=0 1.99=1 1.5=1 1.49=2 1=2 0.99=3 0.5=3 0.49=4", low="2"),
    *_series("FIBRINO", "mg/dL", "low", "200=0 199=1 150=1 149=2 50=3 49.9=4", low="200"),
    *_series("FIBRINO", "g/L", "low", "2=0 1.9=1 1.875=2 1.51=2", low="2", base="2.5"),
    *_series("FIBRINO", "g/L", "low", "1.9=3", low="2", base="3.8"),
    *_series("FIBRINO", "g/L", "low", "1.9=4", low="2", base="7.6"),
    *_series("LDH", "U/L", "high", "250=0 250.1=1 5000=1", high="250"),
    *_series(
        "CHOL", "mmol/L", "high", "5.2=0 5.3=1 7.75=1 7.76=2 10.34=2 10.35=3 12.92=3 12.93=4", high="5.2"
    ),
    *_series("CHOL", "mg/dL", "high", "200=0 201=1 300=1 301=2 400=2 401=3 500=3 501=4", high="200"),
    *_series("TRIG", "mmol/L", "high", "1.7=0 1.72=1 3.42=1 3.43=2 5.7=2 5.71=3 11.4=3 11.41=4"),
    *_series("TRIG", "mg/dL", "high", "149=0 151=1 300=1 301=2 500=2 501=3 1000=3 1001=4"),
    *_series("K", "mEq/L", "high", "5.1=0 5.2=1 5.5=1 5.51=2 6=2 6.01=3 7=3 7.01=4", high="5.1"),
    *_series("K", "mmol/L", "low", "3.5=0 3.49=2 3=2 2.99=3 2.5=3 2.49=4", low="3.5"),
    *_series("MG", "mmol/L", "high", "1=0 1.01=1 1.23=1 1.24=3 3.3=3 3.31=4", high="1"),
    *_series("MG", "mg/dL", "high", "2.4=0 2.5=1 3=1 3.01=3 8=3 8.01=4", high="2.4"),
    *_series("MG", "mg/dL", "low", "1.7=0 1.6=1 1.2=1 1.19=2 0.9=2 0.89=3 0.7=3 0.69=4", low="1.7"),
    *_series("MG", "mEq/L", "low", "1.4=0 1.39=1 1=1 0.99=2 0.8=2 0.79=3 0.6=3 0.59=4", low="1.4"),
    *_series("SODIUM", "mmol/L", "high", "145=0 146=1 150=1 150.1=2 155=2 156=3 160=3 161=4", high="145"),
    *_series("SODIUM", "mmol/L", "low", "135=0 134=1 130=1 129=3 125=3 120=3 119=4", low="135"),
    *_series("CA", "mmol/L", "high", "2.6=0 2.61=1 2.9=1 2.91=2 3.1=2 3.11=3 3.4=3 3.41=4", high="2.6"),
    *_series("CA", "mg/dL", "high", "10.4=0 10.5=1 11.5=1 11.6=2 12.5=2 12.6=3 13.5=3 13.6=4", high="10.4"),
    *_series("CA", "mmol/L", "low", "2.1=0 2.09=1 2=1 1.99=2 1.75=2 1.74=3 1.5=3 1.49=4", low="2.1"),
    *_series("CA", "mg/dL", "low", "8.5=0 8.4=1 8=1 7.9=2 7=2 6.9=3 6=3 5.9=4", low="8.5"),
    *_series("CAION", "mmol/L", "high", "1.3=0 1.31=1 1.5=1 1.51=2 1.6=2 1.61=3 1.8=3 1.81=4", high="1.3"),
    *_series("CAION", "mmol/L", "low", "1.1=0 1.09=1 1=1 0.99=2 0.9=2 0.89=3 0.8=3 0.79=4", low="1.1"),
    *_series("CAION", "mg/dL", "low", "4.4=0 4.39=1 4=1 3.99=2 3.6=2 3.59=3 3.2=3 3.19=4", low="4.4"),
    *_series("GLUC", "mmol/L", "low", "3.9=0 3.8=1 3=1 2.99=2 2.2=2 2.19=3 1.7=3 1.69=4", low="3.9"),
    *_series("GLUC", "mg/dL", "low", "70=0 69=1 55=1 54.9=2 40=2 39.9=3 30=3 29.9=4", low="70"),
    *_series("ALB", "g/L", "low", "35=0 34=1 30=1 29.9=2 20=2 19.9=3", low="35"),
    *_series("ALB", "g/dL", "low", "3.5=0 3.4=1 3=1 2.99=2 2=2 1.99=3", low="3.5"),
    *_series("URATE", "umol/L", "high", "420=0 421=3", high="420"),
    *_series("INR", "", "high", "1=0 1.2=1 1.5=1 1.51=2 2.5=2 2.51=3", base="1.1"),
    *_series("INR", "", "high", "1.3=1 1.6=2 2.6=3"),
    *_series("INR", "RATIO", "high", "1.2=0 1.21=1 1.6=2 2.51=3", base="2.4"),
    *_series("AMYLASE", "U/L", "high", "100=0 101=1 150=1 151=2 200=2 201=3 500=3 501=4", high="100"),
    *_series("PH", "", "low", "7.35=0 7.34=1 7.3=1 7.29=3", low="7.35"),
    *_series("PH", "", "high", "7.45=0 7.46=1 7.5=1 7.51=3", high="7.45"),
    *_series("HAPTOG", "g/L", "low", "0.3=0 0.29=1", low="0.3"),
    *_series("AST", "ukat/L", "high", "0.7=0 0.71=1 2.1=1 2.11=2 3.5=2 3.51=3 14=3 14.01=4", high="0.7"),
    *_series("GGT", "U/L", "high", "60=0 61=1 150=1 151=2 300=2 301=3 1200=3 1201=4", high="60"),
]


def _each(code: str, unit: str, steps: str, **limits: str) -> list[Case]:
    """Cases "value=v5|v6 …" of the high direction."""
    made = []
    for step in steps.split():
        value, grades = step.split("=")
        v5, v6 = grades.split("|")
        made.append(Case(code, value, unit, f"/{v5}", f"/{v6}", **limits))
    return made


# Where the versions differ; grades of the high direction unless said.
RAISED = {"base": "80", "indicator": "HIGH", "high": "40"}
DIFFERENT = [
    *_each("ALT", "U/L", "79=0|0 80=0|1 120=1|1 121=1|2 160=1|2 161=1|3 320=2|3 321=2|4", **RAISED),
    *_each("AST", "U/L", "240=1|3 241=2|3 400=2|4 401=3|4 1600=3|4 1601=4|4", **RAISED),
    *_each("GGT", "U/L", "79=0|0 80=0|1 120=0|1 121=0|2 161=1|2 200=1|2 201=2|2 241=2|3 400=2|3", **RAISED),
    *_each("GGT", "U/L", "160=1|2 800=3|3 801=3|4 1600=3|4 1601=4|4", **RAISED),
    *_each("ALP", "U/L", "80=0|0 81=0|1 160=1|1 200=1|1 201=2|1 400=2|1 401=3|1 1601=4|1", **RAISED),
    *_each("ALP", "U/L", "101=1|1 250=1|1 251=2|1", high="100", base="90", indicator="NORMAL"),
    *_each("BILI", "umol/L", "80=0|1 81=1|1 120=1|1 121=2|2 200=2|2 201=2|3 241=3|3 801=4|4", **RAISED),
    *_each("BILI", "mg/dL", "1.2=0|0 1.3=1|1 1.8=1|1 1.9=2|2 3.6=2|2 3.7=3|3 12=3|3 12.1=4|4", high="1.2"),
    *_each(
        "CREAT", "umol/L", "150=2|1 156=2|1 157=2|2 271=3|2 312=3|2 313=3|3 625=4|4", high="104", base="90"
    ),
    *_each("CREAT", "mg/dL", "0.8=2|2 0.75=0|0", high="1.2", base="0.5", indicator="LOW"),
    *_each("CREAT", "mg/dL", "1.5=2|2 1.51=3|3 7.3=4|4", high="1.2", base="0.5", indicator="LOW"),
    *_each(
        "LIPASET", "U/L", "60=0|0 61=1|1 90=1|1 91=2|2 120=2|2 121=3|2 180=3|2 181=3|3 301=4|4", high="60"
    ),
    *_each("CK", "U/L", "200=0| 201=1| 500=1| 501=2| 1000=2| 1001=3| 2000=3| 2001=4|", high="200"),
    *_each("GLUC", "mmol/L", "5.6=|0 5.7=|1 8.9=|1 9=|2 13.9=|2 14=|3 27.8=|3 27.9=|4", high="5.6"),
    *_each("GLUC", "mg/dL", "100=|0 101=|1 160=|1 161=|2 250=|2 251=|3 500=|3 501=|4", high="100"),
    *_each("LDL", "mmol/L", "3=|0 3.1=|1", high="3"),
    Case("LYM", "0.79", "10^9/L", "2/0", "/0", low="1"),
    Case("LYM", "0.8", "10^9/L", "1/0", "/0", low="1"),
    Case("LYM", "0.19", "10^9/L", "4/0", "/0", low="1"),
    Case("HDL", "0.9", "mmol/L", "/", "1/", low="1"),
    Case("CREATCLR", "50", "mL/min", "/", "0/"),
    Case("CREATCLR", "49", "mL/min", "/", "2/"),
    Case("CREATCLR", "25", "mL/min", "/", "3/"),
    Case("CREATCLR", "9.9", "mL/min", "/", "/"),
    Case("SODIUM", "129.5", "mmol/L", "1/", "3/", low="135"),
]

# What can't be graded, or only by half: never 0.
UNGRADED = [
    same("PLAT", "80", "10^9/L", "/"),  # no lower limit
    same("PLAT", "60", "10^9/L", "2/"),  # needs none
    same("PLAT", "60", "", "/", low="125"),  # no unit
    same("PLAT", "60", "furlong", "/", low="125"),
    same("HGB", "60", "U/L", "/", low="130", high="170"),
    same("ALT", "100", "U/L", "/"),
    same("ALT", "100", "", "/1", high="40"),  # multiples of a limit need no unit
    same("ALT", "100", "U/L", "/", high="40", indicator="HIGH"),  # a raised baseline that is not known
    same("ALT", "100", "U/L", "/", base="60", indicator="HIGH"),
    same("ALT", "100", "U/L", "/", high="40", indicator="SOMETHING"),
    Case("ALT", "100", "U/L", "/1", "/", high="40", base="60", indicator="ABNORMAL"),
    Case("CREAT", "300", "umol/L", "/3", "/", base="90"),
    same("CREAT", "100", "umol/L", "/", base="90"),
    same("INR", "1.1", "", "/"),
    same("K", "", "mmol/L", "/", low="3.5", high="5"),
    same("K", "high", "mmol/L", "/", low="3.5", high="5"),
    same("PLT", "10", "10^9/L", "/", low="125"),
    same("NEUTSG", "0.4", "10^9/L", "/", low="1.8"),
    same("LYMLE", "0.1", "10^9/L", "/", low="1"),
    same("", "1", "10^9/L", "/"),
    same("PLAT", "<5", "10^9/L", "4/", low="125"),
    Case("PLAT", "<20", "10^9/L", "4/", "/", low="125"),
    same("PLAT", ">1000", "10^9/L", "0/", low="125"),
    same("GLUC", "1e400", "mmol/L", "/", low="3", high="6"),
]
