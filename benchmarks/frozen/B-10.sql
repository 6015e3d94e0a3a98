-- The first related withdrawal of each subject, in studies in which more than a tenth of at least 20 subjects ever had one.
-- What may be related counts. By hand, and frozen.
WITH treated AS (
    SELECT usubjid, min(studyid) AS studyid, min(day_lo) AS day FROM dose WHERE valid AND given = 'Y' GROUP BY usubjid
), events AS (
    SELECT usubjid, arg_min(key, (CASE rel WHEN 'RELATED' THEN 0 ELSE 1 END, day_lo, day_hi)) AS key FROM aedrug
    WHERE valid AND acn = 'DRUG WITHDRAWN' AND (rel = 'RELATED' OR rel IS NULL) GROUP BY usubjid
), counted AS (
    SELECT studyid, e.key, count(*) OVER w AS n, count(e.key) OVER w AS x FROM treated LEFT JOIN events e USING (usubjid)
    WINDOW w AS (PARTITION BY studyid ORDER BY day, e.key IS NULL, usubjid ROWS UNBOUNDED PRECEDING)
)
SELECT key FROM counted WHERE key IS NOT NULL
  AND studyid IN (SELECT studyid FROM counted WHERE n >= 20 AND x > 0.1 * n)
