"""Columns that may tell who a person is: left at the door, before anything is made of them.

The bytes as received are kept whole, as they are the source; what is derived never has these columns.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

from monitor.config import StudySettings

# By the letters and digits of a column's name, in capitals.
PERSONAL = re.compile(
    r"(\w*SUBJ|PAT|PATIENT|PT|SUBJECT)?(INIT|INITS|INITIAL|INITIALS)(NSV)?"
    r"|(PAT|PATIENT|PT|SUBJ|SUBJECT|FIRST|LAST|FAMILY|GIVEN|FULL|MIDDLE|SUR|FORE)(NAME|NM)|NAME|FNAME|LNAME"
    r"|BRTH(DAT|DTC?|DATE)?\w*|BIRTH(DATE|DAY|DAT|DTC?|MONTH)?|DOB\w{0,3}|DATEOFBIRTH|BDAY"
    r"|\w*(PHONE|TELEPHONE|MOBILE|CELLPHONE)(NO|NUMBER|NUM)?|TEL|TELNO|FAX"
    r"|\w*EMAIL(ADDRESS|ADDR)?|(HOME|MAIL|STREET|POSTAL)?(ADDR|ADDRESS)\d?|STREET|POSTCODE|POSTALCODE|ZIP|ZIPCODE"
    r"|SSN|SOCIALSECURITY\w*|(NATIONAL|RESIDENT|CITIZEN|PERSONAL)ID\w*|IDCARD\w*|PASSPORT\w*|NHS(NO|NUMBER)?"
    r"|MRN|MEDICALRECORD\w*|HOSPITAL(NO|NUMBER|ID)|CHARTNO"
    r"|姓名|\w*身份证\w*|\w*电话\w*|手机\w*|\w*地址|住址|出生\w*|生日|\w*邮箱|住院号|病历号|门诊号|姓名缩写|受试者缩写",
)


def is_personal(study: StudySettings, column: str) -> bool:
    """Whether a column stays outside: by its name or [study] drop, unless [study] keep names it."""
    name = column.upper()
    if any(fnmatch.fnmatchcase(name, kept.upper()) for kept in study.keep):
        return False
    if any(fnmatch.fnmatchcase(name, dropped.upper()) for dropped in study.drop):
        return True
    return PERSONAL.fullmatch(re.sub(r"[\W_]", "", name)) is not None


def personal(study: StudySettings, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that stay outside."""
    return tuple(column for column in columns if is_personal(study, column))
