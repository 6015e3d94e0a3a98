-- ALT at least 3 x ULN twice running, with no result of a partial date that may break it. By hand, and frozen.
WITH alt AS (
    SELECT usubjid, key, day_lo, day_hi, coalesce(lbstresn_lo >= 3 * lbstnrhi, FALSE) AS high
    FROM lb WHERE valid AND lbtestcd = 'ALT'
), pairs AS (
    SELECT *, lag(high) OVER w AS before, lag(day_lo) OVER w AS since
    FROM alt WHERE day_lo = day_hi WINDOW w AS (PARTITION BY usubjid ORDER BY day_lo)
)
SELECT key FROM pairs p WHERE high AND before AND NOT EXISTS (
    SELECT 1 FROM alt o WHERE o.usubjid = p.usubjid AND o.day_lo < o.day_hi AND NOT o.high
      AND o.day_lo <= p.day_lo AND o.day_hi >= p.since)
