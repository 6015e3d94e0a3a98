-- A dose without any platelet count that may be of the week before. By hand, and frozen.
SELECT key FROM dose d WHERE valid AND drug = 'ROMIPLOSTIM' AND given = 'Y' AND NOT EXISTS (
    SELECT 1 FROM lb p WHERE p.usubjid = d.usubjid AND p.valid AND p.lbtestcd = 'PLAT'
      AND p.day_lo <= d.day_hi AND p.day_hi >= d.day_lo - 7)
