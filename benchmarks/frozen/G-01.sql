-- A serious adverse event, by its flag or by any of its criteria. By hand, and frozen.
SELECT key FROM ae WHERE valid AND (aeser = 'Y' OR aeshosp = 'Y' OR aesdth = 'Y' OR aeout = 'FATAL')
