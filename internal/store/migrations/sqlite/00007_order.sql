-- What is ready in the order of dispatch, whatever its type: who asks for most of
-- the types there are finds his jobs at its beginning. All ids are above 0: only
-- who says so reads this index, and who asks for one type reads that of the types.
CREATE INDEX IF NOT EXISTS gnj_job_order ON job ("priorityLevel" DESC, id)
    WHERE status = 'queued' AND "deletedAt" IS NULL AND ("startAfter" IS NULL OR "wasDue") AND id > 0;
