"""How sites, laboratories and EDC systems name what SDTM names: columns, domains, tests.

A name is compared by its capital letters and digits alone. Nothing here decides: it proposes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DATES = "DATE DAT DT DTC"
# Endings by role, for a domain's prefix: LB + DTC. A word without a prefix stands for itself.
FINDINGS = {
    "TESTCD": "TESTCD TESTCODE PARAMCD ANALYTECODE",
    "TEST": "TEST TESTNAME TSTNAM LBTSTNAM PARAM ANALYTE PARAMETER LABTEST ITEM 检查项目 项目",
    "ORRES": "ORRES RESULT RES VALUE AVAL RESULTVALUE LBRES 结果 检查结果",
    "ORRESU": "ORRESU UNIT UNITS RESULTUNIT LBUNIT 单位",
    "STRESN": "STRESN SIRESN SIRESULT SIVALUE",
    "STRESU": "STRESU SIUNIT SIUNITS STDUNIT",
    "ORNRLO": "ORNRLO LLN LOW NRLO REFLOW LOWER LOWERLIMIT NORMALLOW 下限",
    "ORNRHI": "ORNRHI ULN HIGH NRHI REFHIGH UPPER UPPERLIMIT NORMALHIGH 上限",
    "STNRLO": "STNRLO SINRLO",
    "STNRHI": "STNRHI SINRHI",
    "NRIND": "NRIND FLAG ABNORMALFLAG",
    "CAT": "CAT PANEL CATEGORY BATTRNAM GROUP",
    "SPEC": "SPEC SPECIMEN SAMPLE MATRIX",
    "DTC": "DTC DT DAT DATE SAMPLEDATE COLLECTIONDATE COLLDATE COLLECTED VISITDATE 日期 采样日期 检查日期",
    "STAT": "STAT STATUS",
}
PERIOD = {
    "STDTC": "STDTC STDT STDAT STARTDATE START ONSET ONSETDATE STARTED 开始日期",
    "ENDTC": "ENDTC ENDT ENDAT ENDDATE END STOPDATE STOP 结束日期",
}
ROLES: Mapping[str, Mapping[str, str]] = {
    "LB": FINDINGS,
    "VS": FINDINGS,
    "EG": FINDINGS,
    "AE": PERIOD
    | {
        "SPID": "SPID RECORDID EVENTID AEID AENO AENUMBER",
        "TERM": "TERM EVENT VERBATIM AETERM ADVERSEEVENT 不良事件 不良事件名称",
        "DECOD": "DECOD PREFERREDTERM MDRPT PTTERM",
        "BODSYS": "BODSYS SOC MDRSOC",
        "SER": "SER SERIOUS SAE 是否严重",
        "SEV": "SEV SEVERITY INTENSITY",
        "TOXGR": "TOXGR GRADE CTCGRADE CTCAE CTCAEGRADE 分级",
        "REL": "REL CAUSALITY RELATIONSHIP RELATED RELATEDNESS 相关性",
        "ACN": "ACN ACTION ACTIONTAKEN 采取措施",
        "OUT": "OUT OUTCOME 转归",
        "SDTH": "SDTH DEATH",
        "SHOSP": "SHOSP HOSPITALISATION HOSPITALIZATION",
        "SLIFE": "SLIFE LIFETHREATENING",
    },
    "EX": PERIOD
    | {
        "TRT": "TRT DRUG TREATMENT MEDICATION STUDYDRUG IP PRODUCT 药物 药物名称",
        "DOSE": "DOSE EXDS DOSEAMOUNT DOSAGE AMOUNT 剂量",
        "DOSU": "DOSU EXDSU DOSEUNIT DOSEUNITS",
        "DOSFRQ": "DOSFRQ EXDSFRQ FREQUENCY FREQ",
        "ROUTE": "ROUTE EXRTE",
        "ADJ": "ADJ ADJUSTMENTREASON DOSEREASON",
    },
    "CM": PERIOD | {"TRT": "TRT DRUG MEDICATION CONMED", "DOSE": "DOSE", "DOSU": "DOSU DOSEUNIT"},
    "DS": {
        "DECOD": "DECOD REASON DISPOSITION SDRGREAS COMPREAS STATUS",
        "TERM": "TERM",
        "STDTC": PERIOD["STDTC"] + " COMPLETIONDATE DISCONTINUATIONDATE",
    },
    "MH": PERIOD | {"TERM": "TERM CONDITION HISTORY"},
    "SV": PERIOD | {"STDTC": PERIOD["STDTC"] + " DT DAT DATE VISITDATE"},
    "DM": {},
}
WHOLE = {
    "STUDYID": "STUDYID STUDY PROTOCOL PROTOCOLID TRIAL",
    "SITEID": "SITEID SITE SITENO SITENUMBER CENTER CENTRE CENTERNO 中心 中心编号",
    "VISIT": "VISIT VISITNAME VISNAM 访视",
    "VISITNUM": "VISITNUM VISNUM VISITNO VISITNUMBER",
}
PERSONS = {
    "SEX": "SEX GENDER 性别",
    "AGE": "AGE AGEREP 年龄",
    "RACE": "RACE",
    "ETHNIC": "ETHNIC ETHNICITY",
    "COUNTRY": "COUNTRY",
    "ARM": "ARM TREATMENTARM GROUP",
    "RFSTDTC": "RFSTDTC RFSTDT",
    "RFXSTDTC": "RFXSTDTC FIRSTDOSEDATE FIRSTDOSE",
    "RFXENDTC": "RFXENDTC LASTDOSEDATE LASTDOSE",
    "RFPENDTC": "RFPENDTC LASTPARTICIPANTDATE",
    "RFICDTC": "RFICDTC CONSENTDATE INFORMEDCONSENTDATE",
}
_SUBJECT = (
    "USUBJID SUBJID SUBJECTID SUBJECT SUBJECTNO SUBJECTNUMBER SUBJ SUBJNO PATIENT PATIENTID PATIENTNO PATID"
    " PATNO PTID PTNO PT PARTICIPANT PARTICIPANTID SUBJECTCODE"
    " 受试者 受试者编号 受试者代码 患者编号 筛选号 随机号"
)
SUBJECT = tuple(_SUBJECT.split())
DOMAIN_WORDS: Mapping[str, str] = {
    "LB": "LB LAB LABS LABORATORY LABDATA HEMATOLOGY HAEMATOLOGY CHEMISTRY CBC 实验室 血常规 检验",
    "AE": "AE AES ADVERSE ADVERSEEVENT ADVERSEEVENTS SAE 不良事件",
    "DM": "DM DEMO DEMOG DEMOGRAPHICS DEMOGRAPHY 人口学",
    "EX": "EX EXPOSURE DOSING DOSE DOSES DRUGADMIN ADMINISTRATION 用药 给药",
    "VS": "VS VITAL VITALS VITALSIGNS 生命体征",
    "CM": "CM CONMED CONMEDS CONCOMITANT 合并用药",
    "DS": "DS DISPOSITION DISP SDRGCOMP STUDCOMP COMPLETION EOT EOS 试验结束",
    "MH": "MH HISTORY MEDICALHISTORY 病史",
    "SV": "SV VISIT VISITS 访视",
    "EG": "EG ECG 心电图",
}
# Tests: CDISC's code, and its names as laboratories write them. `%` keeps a share from being a count.
_TESTS = {
    "PLAT": "PLAT PLT PLATELET PLATELETS PLATELETCOUNT THROMBOCYTES 血小板 血小板计数",
    "WBC": "WBC WBCCOUNT LEUKOCYTES WHITEBLOODCELLS WHITEBLOODCELLCOUNT 白细胞",
    "RBC": "RBC RBCCOUNT ERYTHROCYTES REDBLOODCELLS",
    "HGB": "HGB HB HEMOGLOBIN HAEMOGLOBIN 血红蛋白",
    "HCT": "HCT HEMATOCRIT HAEMATOCRIT",
    "NEUT": "NEUT ANC NEUTROPHILS NEUTROPHILCOUNT ABSOLUTENEUTROPHILCOUNT 中性粒细胞 中性粒细胞计数",
    "NEUTLE": "NEUT% NEUTROPHILS% NEUTLE",
    "LYM": "LYM ALC LYMPHOCYTES 淋巴细胞",
    "LYMLE": "LYMPHOCYTES% LYMLE",
    "MONO": "MONO MONOCYTES",
    "MONOLE": "MONOCYTES%",
    "EOS": "EOS EOSINOPHILS",
    "EOSLE": "EOSINOPHILS%",
    "BASO": "BASO BASOPHILS",
    "BASOLE": "BASOPHILS%",
    "RETI": "RETI RETIC RETICULOCYTES 网织红细胞",
    "ALT": "ALT SGPT GPT ALTSGPT ALANINEAMINOTRANSFERASE ALANINEAMINOTRANSFERASEALT"
    " AMINOTRANSFERASEALANINEALT",
    "AST": "AST SGOT ASTSGOT ASPARTATEAMINOTRANSFERASE AMINOTRANSFERASEASPARTATEAST GOT",
    "ALP": "ALP ALKPHOS ALKALINEPHOSPHATASE ALKALINEPHOSPHATASEALP",
    "GGT": "GGT GAMMAGT GAMMAGLUTAMYLTRANSFERASE",
    "BILI": "BILI TBIL TBILI BILIRUBIN TOTALBILIRUBIN BILIRUBINTOTAL 总胆红素",
    "BILDIR": "BILDIR DBIL DIRECTBILIRUBIN BILIRUBINDIRECT",
    "BILIND": "BILIND INDIRECTBILI INDIRECTBILIRUBIN",
    "CREAT": "CREAT CREA SCR CREATININE SERUMCREATININE 肌酐",
    "UREAN": "UREAN BUN UREANITROGEN BLOODUREANITROGEN",
    "UREA": "UREA 尿素",
    "URATE": "URATE URICACID SERUMURICACID",
    "ALB": "ALB ALBUMIN",
    "PROT": "PROT TOTALPROTEIN PROTEIN",
    "GLUC": "GLUC GLU GLUCOSE",
    "SODIUM": "SODIUM SERUMSODIUM NA",
    "K": "K POTASSIUM SERUMPOTASSIUM 钾",
    "CL": "CL CHLORIDE SERUMCHLORIDE",
    "CA": "CA CALCIUM",
    "CACR": "CALCIUMCORRECTED CALCIUMCORRECTEDFORALBUMIN CORRECTEDCALCIUM",
    "MG": "MG MAGNESIUM 镁",
    "PHOS": "PHOS PHOSPHATE PHOSPHORUS",
    "BICARB": "BICARB BICARBONATE SERUMBICARBONATE",
    "CK": "CK CPK CREATINEKINASE",
    "LDH": "LDH LACTATEDEHYDROGENASE",
    "CHOL": "CHOL CHOLESTEROL TOTALCHOLESTEROL",
    "TRIG": "TRIG TRIGLYCERIDES",
    "AMYLASE": "AMYLASE AMY",
    "LIPASE": "LIPASE LIP",
    "INR": "INR",
    "APTT": "APTT",
    "CYSTATC": "CYSTATC CYSTATINC",
    "GLOBUL": "GLOBUL GLOBULIN",
    "IGE": "IGE",
    "GFR": "GFR EGFR",
    "MCV": "MCV",
    "MCH": "MCH",
    "MCHC": "MCHC",
    "SYSBP": "SYSBP SBP SYSTOLICBLOODPRESSURE 收缩压",
    "DIABP": "DIABP DBP DIASTOLICBLOODPRESSURE 舒张压",
    "HR": "HR PULSE HEARTRATE",
    "TEMP": "TEMP TEMPERATURE BODYTEMPERATURE",
    "RESP": "RESP RESPIRATORYRATE",
    "WEIGHT": "WEIGHT WT BODYWEIGHT 体重",
    "HEIGHT": "HEIGHT 身高",
}
TESTS: Mapping[str, str] = {name: code for code, names in _TESTS.items() for name in names.split()}
VITAL = frozenset({"SYSBP", "DIABP", "HR", "TEMP", "RESP", "WEIGHT", "HEIGHT"})
# Suffixes by which laboratories and EDC systems mark how a value was got or stored.
MARKS = re.compile(r"(QT|PS|GPO|EDTA|HIGHPERFORMANCE|2DPSI|RATEBLANKED2DP)$")


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\W_]", "", name).upper()


def column_names(domain: str) -> dict[str, tuple[str, ...]]:
    """Each SDTM column of a domain with the names that stand for it, in the order of trust."""
    found = {
        f"{domain}{role}": (f"{domain}{role}", *(f"{domain}{word}" for word in said.split()), *said.split())
        for role, said in ROLES.get(domain, {}).items()
    }
    whole = {column: tuple(said.split()) for column, said in WHOLE.items()}
    if domain == "DM":
        whole |= {column: tuple(said.split()) for column, said in PERSONS.items()}
    return {**whole, **{column: tuple(dict.fromkeys(names)) for column, names in found.items()}}


def test_code(name: str) -> str | None:
    """CDISC's code of a test's name; None when it is not known."""
    share = (
        "%" if "%" in name or (name.strip()[-2:] == "LE" and name.strip().isupper() and len(name) > 5) else ""
    )
    bare = plain(name)
    return next((TESTS[each] for each in (bare + share, MARKS.sub("", bare) + share) if each in TESTS), None)


def domain_words(text: str) -> set[str]:
    """The domains that the words of a file's or sheet's name speak of."""
    words = {word for word in re.split(r"[\W_\d]+", text.upper()) if word}
    joined = plain(text)
    return {
        domain
        for domain, said in DOMAIN_WORDS.items()
        for word in said.split()
        if word in words or ((len(word) > 5 or not word.isascii()) and word in joined)
    }
