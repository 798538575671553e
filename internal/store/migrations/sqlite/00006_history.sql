-- What became of each job and pipeline: a row for each change of its status.
CREATE TABLE IF NOT EXISTS gnj_history (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    "jobId"      bigint,
    "pipelineId" bigint,
    "at"         datetime NOT NULL,
    "from"       varchar(255) NOT NULL,
    "to"         varchar(255) NOT NULL,
    attempt      integer NOT NULL,
    "workerId"   varchar(255),
    "by"         varchar(255),
    reason       varchar(255)
);

CREATE INDEX IF NOT EXISTS gnj_history_job ON gnj_history ("jobId") WHERE "jobId" IS NOT NULL;
CREATE INDEX IF NOT EXISTS gnj_history_pipeline ON gnj_history ("pipelineId") WHERE "pipelineId" IS NOT NULL;
