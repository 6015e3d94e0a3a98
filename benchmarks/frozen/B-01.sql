-- Platelets above 400 x 10^9/L. By hand, and frozen: two-valued, only what surely fires.
SELECT key FROM lb
WHERE valid AND lbtestcd = 'PLAT' AND lbstresn_lo * CASE unit WHEN '10^9/L' THEN 1 WHEN '10^6/L' THEN 0.001::DOUBLE END >= 400 AND (lbstresn_lo * CASE unit WHEN '10^9/L' THEN 1 WHEN '10^6/L' THEN 0.001::DOUBLE END > 400 OR lbstresn_lo_open)
