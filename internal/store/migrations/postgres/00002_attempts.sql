-- What upstream does not have: attempts, leases, automatic retries, enforced
-- unique ids and cancelled pipelines. Every column is nullable or has a
-- constant default, so that no row is rewritten and upstream still runs.

-- Release 4.3 of graphql-node-jobs has no priorityLevel.
ALTER TABLE {schema}job
    ADD COLUMN IF NOT EXISTS "priorityLevel" integer NOT NULL DEFAULT 4,
    ADD COLUMN IF NOT EXISTS attempt integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS "givenBack" integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS "maxAttempts" integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS "backoffSeconds" integer NOT NULL DEFAULT 15,
    ADD COLUMN IF NOT EXISTS "backoffMaxSeconds" integer NOT NULL DEFAULT 3600,
    ADD COLUMN IF NOT EXISTS "leaseSeconds" integer,
    ADD COLUMN IF NOT EXISTS "leaseExpiresAt" timestamptz,
    ADD COLUMN IF NOT EXISTS "uniqueKey" varchar(255),
    ADD COLUMN IF NOT EXISTS "finishedAttempt" integer,
    ADD COLUMN IF NOT EXISTS "finishedAs" varchar(255),
    ADD COLUMN IF NOT EXISTS "finishedStatus" varchar(255);

ALTER TABLE {schema}pipeline ADD COLUMN IF NOT EXISTS "cancelRequestedAt" timestamptz;

-- Of several jobs with one jobUniqueId, which upstream's race and its retries
-- leave behind, the oldest owns the key; the others are kept as they are.
UPDATE {schema}job SET "uniqueKey" = "jobUniqueId"
WHERE id IN (
    SELECT min(id) FROM {schema}job
    WHERE "jobUniqueId" IS NOT NULL AND "deletedAt" IS NULL
    GROUP BY "jobUniqueId"
) AND "uniqueKey" IS NULL;

CREATE UNIQUE INDEX IF NOT EXISTS gnj_job_unique_key ON {schema}job ("uniqueKey") WHERE "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_job_unique_id ON {schema}job ("jobUniqueId") WHERE "jobUniqueId" IS NOT NULL;

-- What is queued, in the order of dispatch.
CREATE INDEX IF NOT EXISTS gnj_job_queued ON {schema}job ("priorityLevel" DESC, id)
    INCLUDE (type, "startAfter")
    WHERE status = 'queued' AND "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_job_queued_type ON {schema}job (type, "priorityLevel" DESC, id)
    WHERE status = 'queued' AND "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_job_lease ON {schema}job ("leaseExpiresAt") WHERE "leaseExpiresAt" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_job_batch ON {schema}job ("batchId") WHERE "batchId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_job_pipeline ON {schema}job ("pipelineId") WHERE "pipelineId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_job_retry_of ON {schema}job ("retryOfJobId") WHERE "retryOfJobId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_step_pipeline ON {schema}"pipelineStep" ("pipelineId", index);

CREATE INDEX IF NOT EXISTS gnj_step_job ON {schema}"pipelineStep" ("jobId") WHERE "jobId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_step_batch ON {schema}"pipelineStep" ("batchId") WHERE "batchId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_batch_pipeline ON {schema}batch ("pipelineId") WHERE "pipelineId" IS NOT NULL;
