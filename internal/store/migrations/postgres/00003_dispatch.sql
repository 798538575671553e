-- Dispatch finds its jobs by one short index, whatever else lies in the table.
-- A job whose startAfter lies ahead is not in it, but in an index of its own
-- until its time has come and somebody saw so: wasDue.
ALTER TABLE {schema}job ADD COLUMN IF NOT EXISTS "wasDue" boolean NOT NULL DEFAULT false;

CREATE INDEX IF NOT EXISTS gnj_job_ready ON {schema}job (type, "priorityLevel" DESC, id)
    WHERE status = 'queued' AND "deletedAt" IS NULL AND ("startAfter" IS NULL OR "wasDue");

CREATE INDEX IF NOT EXISTS gnj_job_scheduled ON {schema}job ("startAfter")
    WHERE status = 'queued' AND "deletedAt" IS NULL AND "startAfter" IS NOT NULL AND NOT "wasDue";

DROP INDEX IF EXISTS {schema}gnj_job_queued;

DROP INDEX IF EXISTS {schema}gnj_job_queued_type;

-- Most jobs own no key, and need not be in its index.
DROP INDEX IF EXISTS {schema}gnj_job_unique_key;

CREATE UNIQUE INDEX gnj_job_unique_key ON {schema}job ("uniqueKey") WHERE "deletedAt" IS NULL AND "uniqueKey" IS NOT NULL;

-- Each job is three versions of a row within seconds: what is dead goes early,
-- and in one piece, before it lies in anybody's way.
ALTER TABLE {schema}job SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000
);
