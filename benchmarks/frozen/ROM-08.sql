-- A dose while a platelet hold is open, the holds being given. By hand, and frozen.
SELECT DISTINCT d.key FROM dose d JOIN episode e ON e.subject = d.usubjid
WHERE d.valid AND d.drug = 'ROMIPLOSTIM' AND d.given = 'Y' AND d.dose > 0
  AND e.rule = 'PLT-01' AND e.truth = 2 AND e.open_hi < d.day_lo AND (NOT e.closed OR d.day_hi < e.close_lo)
