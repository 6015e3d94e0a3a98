"""What test codes and columns are called in a sentence, and the unit that each test is measured in.

Names follow CDISC controlled terminology (LBTEST), shortened as clinicians say them.
"""

from __future__ import annotations

from collections.abc import Mapping

# test code -> its name, and one unit that it is measured in (others convert to it)
TESTS: Mapping[str, tuple[str, str]] = {
    "PLAT": ("Platelets", "10^9/L"),
    "WBC": ("Leukocytes", "10^9/L"),
    "NEUT": ("Neutrophils", "10^9/L"),
    "LYM": ("Lymphocytes", "10^9/L"),
    "HGB": ("Hemoglobin", "g/L"),
    "RBC": ("Erythrocytes", "10^12/L"),
    "RETI": ("Reticulocytes", "10^9/L"),
    "ALT": ("ALT", "U/L"),
    "AST": ("AST", "U/L"),
    "ALP": ("Alkaline phosphatase", "U/L"),
    "GGT": ("Gamma-GT", "U/L"),
    "LDH": ("LDH", "U/L"),
    "BILI": ("Bilirubin", "umol/L"),
    "BILDIR": ("Direct bilirubin", "umol/L"),
    "CREAT": ("Creatinine", "umol/L"),
    "UREAN": ("Urea nitrogen", "mmol/L"),
    "K": ("Potassium", "mmol/L"),
    "SODIUM": ("Sodium", "mmol/L"),
    "CA": ("Calcium", "mmol/L"),
    "MG": ("Magnesium", "mmol/L"),
    "PHOS": ("Phosphate", "mmol/L"),
    "GLUC": ("Glucose", "mmol/L"),
    "ALB": ("Albumin", "g/L"),
    "CAION": ("Ionized calcium", "mmol/L"),
    "CACORR": ("Corrected calcium", "mmol/L"),
    "URATE": ("Urate", "umol/L"),
    "CHOL": ("Cholesterol", "mmol/L"),
    "HDL": ("HDL cholesterol", "mmol/L"),
    "LDL": ("LDL cholesterol", "mmol/L"),
    "TRIG": ("Triglycerides", "mmol/L"),
    "CK": ("Creatine kinase", "U/L"),
    "AMYLASE": ("Amylase", "U/L"),
    "LIPASET": ("Lipase", "U/L"),
    "CREATCLR": ("Creatinine clearance", "mL/min"),
    "APTT": ("aPTT", "s"),
    "FIBRINO": ("Fibrinogen", "g/L"),
    "HAPTOG": ("Haptoglobin", "g/L"),
    "CD4": ("CD4 lymphocytes", "10^9/L"),
    "FERRITIN": ("Ferritin", "ug/L"),
    "CYCLSPOR": ("Cyclosporine", "ug/L"),
    "WEIGHT": ("Weight", "kg"),
    "SYSBP": ("Systolic blood pressure", "mmHg"),
    "DIABP": ("Diastolic blood pressure", "mmHg"),
    "QTCF": ("QTcF", "ms"),
}

# the end of a column's name, after the domain's prefix -> what it is called
COLUMNS: Mapping[str, str] = {
    "STRESN": "result",
    "STNRHI": "the upper limit of normal",
    "STNRLO": "the lower limit of normal",
    "TERM": "reported term",
    "DECOD": "coded term",
    "SER": "serious",
    "SEV": "severity",
    "TOXGR": "toxicity grade",
    "REL": "relationship to the drug",
    "ACN": "action taken with the drug",
    "OUT": "outcome",
    "SDTH": "death",
    "SLIFE": "life-threatening",
    "SHOSP": "hospitalization",
    "SDISAB": "disability",
    "SCONG": "congenital anomaly",
    "SCAN": "cancer",
    "SOD": "overdose",
    "SMIE": "other important medical event",
    "STDT": "start",
    "ENDT": "end",
    "DT": "date",
    "DY": "study day",
    "TESTCD": "test",
    "TRT": "treatment",
    "DRUG": "drug",
    "GIVEN": "given",
    "DOSE": "dose",
    "DOSEKG": "dose per kg",
    "BASE": "baseline",
    "CHG": "change from baseline",
    "PCHG": "percent change from baseline",
    "BNRIND": "the baseline's range",
    "BNRLO": "the baseline's lower limit of normal",
    "BNRHI": "the baseline's upper limit of normal",
    "ATOXGRL": "CTCAE grade (low)",
    "ATOXGRH": "CTCAE grade (high)",
    "BTOXGRL": "CTCAE grade of the baseline (low)",
    "BTOXGRH": "CTCAE grade of the baseline (high)",
    "AGE": "age",
    "SEX": "sex",
    "ARM": "arm",
}

# domain -> what one record of it is called; others by the domain's label
RECORDS: Mapping[str, str] = {
    "AE": "Adverse event",
    "AEDRUG": "Adverse event, for one drug",
    "DOSE": "Dose",
    "DAILY": "Daily dose",
    "EX": "Exposure",
    "EC": "Exposure",
    "LB": "Laboratory result",
    "VS": "Vital sign",
    "EG": "ECG result",
    "PC": "Drug concentration",
    "DS": "Disposition event",
    "CM": "Concomitant medication",
    "MH": "Medical history",
    "PR": "Procedure",
    "SV": "Visit",
    "DM": "Subject",
}


def column_name(domain: str, column: str) -> str:
    """What a column is called: "the upper limit of normal"; an unknown one keeps its SDTM name."""
    prefix = domain if domain not in ("AEDRUG", "DOSE") else domain[:2]
    bare = column.removeprefix(prefix) if column != domain else column
    return COLUMNS.get(column) or COLUMNS.get(bare) or column


def test_name(code: str) -> str:
    """What a test is called: "Platelets (PLAT)"; an unknown code stays as it is."""
    name = TESTS.get(code, (code, ""))[0]
    return name if name == code else f"{name} ({code})"
