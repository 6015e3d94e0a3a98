-- Haemoglobin at least 20 g/L below the baseline. By hand, and frozen.
SELECT key FROM lb WHERE valid AND lbtestcd = 'HGB' AND unit = 'g/L' AND chg <= -20
