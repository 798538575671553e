-- Whether a batch has jobs of a status is one look, however many jobs it has.
DROP INDEX IF EXISTS {schema}gnj_job_batch;

CREATE INDEX IF NOT EXISTS gnj_job_batch ON {schema}job ("batchId", COALESCE(status, '')) WHERE "batchId" IS NOT NULL;
