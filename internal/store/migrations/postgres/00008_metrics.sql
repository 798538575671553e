-- How many jobs ended, how long they waited and ran: a row for each span of
-- time; and, with span 0, what processes have counted and nobody has folded yet.
CREATE TABLE IF NOT EXISTS {schema}gnj_metric (
    span   integer NOT NULL,
    "from" timestamptz NOT NULL,
    node   varchar(255) NOT NULL,
    total  text NOT NULL,
    types  text NOT NULL,
    PRIMARY KEY (span, "from", node)
);

-- What failed or was cancelled is found among millions that did not. Jobs that
-- are successful never come into these.
CREATE INDEX IF NOT EXISTS gnj_job_failed ON {schema}job (id, "endedAt", type) WHERE status = 'failed' AND "deletedAt" IS NULL;
CREATE INDEX IF NOT EXISTS gnj_job_cancelled ON {schema}job (id, type) WHERE status = 'cancelled' AND "deletedAt" IS NULL;

-- Planned jobs are of pipelines and batches.
CREATE INDEX IF NOT EXISTS gnj_job_planned ON {schema}job (id, type) WHERE status = 'planned' AND "deletedAt" IS NULL;

-- What workers hold.
CREATE INDEX IF NOT EXISTS gnj_job_held ON {schema}job (id)
    WHERE status IN ('processing', 'cancel-requested') AND "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS gnj_pipeline_open ON {schema}pipeline (COALESCE(status, 'planned'), id)
    WHERE COALESCE(status, 'planned') <> 'successful' AND "deletedAt" IS NULL;
