-- A dose whose latest platelet count of the week before is above 400, whichever it may be. By hand, and frozen.
WITH plt AS (
    SELECT usubjid, day_lo, day_hi, coalesce(lbstresn_lo * CASE unit WHEN '10^9/L' THEN 1 WHEN '10^6/L' THEN 0.001::DOUBLE END >= 400 AND (lbstresn_lo * CASE unit WHEN '10^9/L' THEN 1 WHEN '10^6/L' THEN 0.001::DOUBLE END > 400 OR lbstresn_lo_open), FALSE) AS high
    FROM lb WHERE valid AND lbtestcd = 'PLAT'
), near AS (
    SELECT d.key, p.high, p.day_hi,
        max(CASE WHEN p.day_hi <= d.day_lo AND p.day_lo >= d.day_hi - 7 THEN p.day_lo END) OVER (PARTITION BY d.key) AS latest
    FROM dose d JOIN plt p ON p.usubjid = d.usubjid AND p.day_lo <= d.day_hi AND p.day_hi >= d.day_lo - 7
    WHERE d.valid AND d.drug = 'ROMIPLOSTIM' AND d.given = 'Y'
)
SELECT key FROM near WHERE day_hi >= latest GROUP BY key HAVING bool_and(high)
