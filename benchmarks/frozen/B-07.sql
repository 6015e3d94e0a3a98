-- Thrombosis while cyclosporine was taken, or within four weeks after. By hand, and frozen.
SELECT DISTINCT a.key FROM ae a JOIN ex x ON x.usubjid = a.usubjid
WHERE a.valid AND (a.aeterm ILIKE '%thrombosis%' OR a.aeterm ILIKE '%embolism%') AND a.aeterm NOT ILIKE '%no thrombosis%'
  AND x.valid AND x.extrt = 'CYCLOSPORINE' AND x.day_hi <= a.day_lo AND x.end_lo >= a.day_hi - 28
