-- Dispatch finds its jobs by one short index, whatever else lies in the table.
-- A job whose startAfter lies ahead is not in it, but in an index of its own
-- until its time has come and somebody saw so: wasDue.
ALTER TABLE job ADD COLUMN "wasDue" boolean NOT NULL DEFAULT 0;

CREATE INDEX IF NOT EXISTS gnj_job_ready ON job (type, "priorityLevel" DESC, id)
    WHERE status = 'queued' AND "deletedAt" IS NULL AND ("startAfter" IS NULL OR "wasDue");

CREATE INDEX IF NOT EXISTS gnj_job_scheduled ON job ("startAfter")
    WHERE status = 'queued' AND "deletedAt" IS NULL AND "startAfter" IS NOT NULL AND NOT "wasDue";

DROP INDEX IF EXISTS gnj_job_queued;

DROP INDEX IF EXISTS gnj_job_queued_type;

-- Most jobs own no key, and need not be in its index.
DROP INDEX IF EXISTS gnj_job_unique_key;

CREATE UNIQUE INDEX gnj_job_unique_key ON job ("uniqueKey") WHERE "deletedAt" IS NULL AND "uniqueKey" IS NOT NULL;
