-- ALT or AST at least 3 x ULN, and bilirubin above 2 x ULN within 30 days either way. By hand, and frozen.
SELECT DISTINCT f.key FROM lb f JOIN lb o ON o.usubjid = f.usubjid
WHERE f.valid AND f.lbtestcd IN ('ALT', 'AST') AND f.lbstresn_lo >= 3 * f.lbstnrhi
  AND o.valid AND o.lbtestcd = 'BILI' AND (o.lbstresn_lo > 2 * o.lbstnrhi OR (o.lbstresn_lo = 2 * o.lbstnrhi AND o.lbstresn_lo_open))
  AND o.day_hi <= f.day_lo + 30 AND o.end_lo >= f.day_hi - 30
