-- A dose more than 100 ug from the one before, with no dose of a partial date before it. By hand, and frozen.
WITH given AS (
    SELECT usubjid, key, day_lo, dose, day_lo = day_hi AS exact,
        min(CASE WHEN day_lo < day_hi THEN day_lo END) OVER (PARTITION BY usubjid) AS doubt
    FROM dose WHERE valid AND drug = 'ROMIPLOSTIM' AND given = 'Y'
), steps AS (
    SELECT key, day_lo, doubt, abs(dose - lag(dose) OVER (PARTITION BY usubjid ORDER BY day_lo)) AS step
    FROM given WHERE exact
)
SELECT key FROM steps WHERE step > 100 AND (doubt IS NULL OR day_lo < doubt)
