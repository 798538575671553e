-- What upstream does not have: attempts, leases, automatic retries, enforced
-- unique ids and cancelled pipelines.

ALTER TABLE job ADD COLUMN attempt integer NOT NULL DEFAULT 0;

ALTER TABLE job ADD COLUMN "givenBack" integer NOT NULL DEFAULT 0;

ALTER TABLE job ADD COLUMN "maxAttempts" integer NOT NULL DEFAULT 1;

ALTER TABLE job ADD COLUMN "backoffSeconds" integer NOT NULL DEFAULT 15;

ALTER TABLE job ADD COLUMN "backoffMaxSeconds" integer NOT NULL DEFAULT 3600;

ALTER TABLE job ADD COLUMN "leaseSeconds" integer;

ALTER TABLE job ADD COLUMN "leaseExpiresAt" datetime;

ALTER TABLE job ADD COLUMN "uniqueKey" varchar(255);

ALTER TABLE job ADD COLUMN "finishedAttempt" integer;

ALTER TABLE job ADD COLUMN "finishedAs" varchar(255);

ALTER TABLE job ADD COLUMN "finishedStatus" varchar(255);

ALTER TABLE pipeline ADD COLUMN "cancelRequestedAt" datetime;

CREATE UNIQUE INDEX IF NOT EXISTS gnj_job_unique_key ON job ("uniqueKey") WHERE "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_job_unique_id ON job ("jobUniqueId") WHERE "jobUniqueId" IS NOT NULL;

-- What is queued, in the order of dispatch.
CREATE INDEX IF NOT EXISTS gnj_job_queued ON job ("priorityLevel" DESC, id)
    WHERE status = 'queued' AND "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_job_queued_type ON job (type, "priorityLevel" DESC, id)
    WHERE status = 'queued' AND "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_job_lease ON job ("leaseExpiresAt") WHERE "leaseExpiresAt" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_job_batch ON job ("batchId") WHERE "batchId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_job_pipeline ON job ("pipelineId") WHERE "pipelineId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_job_retry_of ON job ("retryOfJobId") WHERE "retryOfJobId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_step_pipeline ON "pipelineStep" ("pipelineId", "index");

CREATE INDEX IF NOT EXISTS gnj_step_job ON "pipelineStep" ("jobId") WHERE "jobId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_step_batch ON "pipelineStep" ("batchId") WHERE "batchId" IS NOT NULL;

CREATE INDEX IF NOT EXISTS gnj_batch_pipeline ON batch ("pipelineId") WHERE "pipelineId" IS NOT NULL;
