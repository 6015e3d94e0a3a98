from __future__ import annotations

import pytest

from monitor.clinical.domains import DOMAINS, columns_of, dates_of, kind_of
from monitor.records import Kind


@pytest.mark.parametrize(
    ("domain", "column", "kind"),
    [
        ("LB", "LBSTRESN", Kind.QUANTITY),
        ("LB", "BASE", Kind.QUANTITY),
        ("LB", "PCHG", Kind.NUMBER),
        ("LB", "LBDT", Kind.DATE),
        ("LB", "LBDTC", Kind.TEXT),
        ("LB", "LBDY", Kind.NUMBER),
        ("LB", "AGE", Kind.NUMBER),
        ("LB", "RFSTDT", Kind.DATE),
        ("AE", "AESTDT", Kind.DATE),
        ("AE", "AEENDT", Kind.DATE),
        ("AE", "AEACN2", Kind.TEXT),
        ("EX", "EXDT", Kind.DATE),
        ("EX", "EXDOSE", Kind.QUANTITY),
        ("DOSE", "DT", Kind.DATE),
        ("DOSE", "DOSEDT", Kind.DATE),
        ("DOSE", "DOSEKG", Kind.QUANTITY),
        ("AEDRUG", "ACN", Kind.TEXT),
        ("AEDRUG", "AESER", Kind.TEXT),
        ("LB", "LBSTRSN", None),
        ("LB", "AESER", None),
        ("XX", "LBSTRESN", None),
    ],
)
def test_a_column_has_its_kind(domain: str, column: str, kind: Kind | None) -> None:
    assert kind_of(domain, column) is kind


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_what_a_domain_names_are_its_own_columns(name: str) -> None:
    domain = DOMAINS[name]
    named = {domain.start, domain.end, domain.unit, *domain.censored, *domain.series, domain.sponsor_id} - {
        ""
    }
    assert named <= set(domain.columns)
    assert set(dates_of(name).values()) <= set(columns_of(name))
    assert not {column for column, kind in domain.columns.items() if kind is Kind.DATE}


def test_the_date_of_a_record_has_a_short_name() -> None:
    assert dates_of("EX")["EXDT"] == "EXSTDTC"
    assert dates_of("DOSE")["DT"] == "DOSEDTC"
    assert dates_of("LB")["DMDT"] == "DMDTC"
