-- A serious adverse event. By hand, and frozen.
SELECT key FROM ae WHERE valid AND (aeser = 'Y' OR aesdth = 'Y' OR aeout = 'FATAL')
