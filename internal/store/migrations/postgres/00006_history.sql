-- What became of each job and pipeline: a row for each change of its status.
CREATE TABLE IF NOT EXISTS {schema}gnj_history (
    id           bigserial PRIMARY KEY,
    "jobId"      bigint,
    "pipelineId" bigint,
    "at"         timestamptz NOT NULL,
    "from"       varchar(255) NOT NULL,
    "to"         varchar(255) NOT NULL,
    attempt      integer NOT NULL,
    "workerId"   varchar(255),
    "by"         varchar(255),
    reason       varchar(255)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_analyze_scale_factor = 0.5);

CREATE INDEX IF NOT EXISTS gnj_history_job ON {schema}gnj_history ("jobId") WHERE "jobId" IS NOT NULL;
CREATE INDEX IF NOT EXISTS gnj_history_pipeline ON {schema}gnj_history ("pipelineId") WHERE "pipelineId" IS NOT NULL;
