-- Withdrawn, and not surely unrelated. By hand, and frozen.
SELECT key FROM aedrug WHERE valid AND acn = 'DRUG WITHDRAWN' AND (rel IS NULL OR rel <> 'NOT RELATED')
