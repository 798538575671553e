-- The tables of graphql-node-jobs 5.1, as they are there. On a database that it
-- made, each statement finds its table and leaves it alone.

CREATE TABLE IF NOT EXISTS {schema}pipeline (
    id          serial PRIMARY KEY,
    name        varchar(255),
    metadata    varchar(255),
    "createdAt" timestamptz NOT NULL,
    "updatedAt" timestamptz NOT NULL,
    "deletedAt" timestamptz,
    status      varchar(255)
);

CREATE TABLE IF NOT EXISTS {schema}batch (
    id           serial PRIMARY KEY,
    status       varchar(255),
    "pipelineId" integer REFERENCES {schema}pipeline (id),
    "createdAt"  timestamptz NOT NULL,
    "updatedAt"  timestamptz NOT NULL,
    "deletedAt"  timestamptz
);

CREATE TABLE IF NOT EXISTS {schema}job (
    id               serial PRIMARY KEY,
    type             varchar(255),
    status           varchar(255),
    name             varchar(255),
    input            json,
    output           json,
    "createdAt"      timestamptz NOT NULL,
    "updatedAt"      timestamptz NOT NULL,
    "deletedAt"      timestamptz,
    "batchId"        integer REFERENCES {schema}batch (id),
    "startedAt"      timestamptz,
    "endedAt"        timestamptz,
    "workerId"       varchar(255),
    "processingInfo" json,
    "startAfter"     timestamptz,
    "isUpdateAlreadyCalledWhileCancelRequested" boolean NOT NULL DEFAULT false,
    "cancelledAt"    timestamptz,
    "isHighFrequency" boolean NOT NULL DEFAULT false,
    "retryOfJobId"   integer,
    "isRecoverable"  boolean NOT NULL DEFAULT false,
    "jobUniqueId"    varchar(255),
    "pipelineId"     integer,
    "priorityLevel"  integer NOT NULL DEFAULT 4
);

CREATE TABLE IF NOT EXISTS {schema}"jobHoldType" (
    id          serial PRIMARY KEY,
    type        varchar(255),
    "createdAt" timestamptz NOT NULL,
    "updatedAt" timestamptz NOT NULL,
    "deletedAt" timestamptz
);

CREATE TABLE IF NOT EXISTS {schema}"pipelineStep" (
    id           serial PRIMARY KEY,
    "jobId"      integer REFERENCES {schema}job (id),
    "batchId"    integer REFERENCES {schema}batch (id),
    "pipelineId" integer REFERENCES {schema}pipeline (id),
    index        integer,
    "createdAt"  timestamptz NOT NULL,
    "updatedAt"  timestamptz NOT NULL,
    "deletedAt"  timestamptz,
    status       varchar(255)
);

CREATE TABLE IF NOT EXISTS {schema}"workerMonitoring" (
    id             serial PRIMARY KEY,
    "workerId"     varchar(255),
    "createdAt"    timestamptz NOT NULL,
    "updatedAt"    timestamptz NOT NULL,
    "deletedAt"    timestamptz,
    "workerStatus" varchar(255) NOT NULL,
    "workerType"   varchar(255) NOT NULL
);

CREATE INDEX IF NOT EXISTS idx_job_type_status ON {schema}job (type, status) WHERE "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS idx_job_created_at_desc_status ON {schema}job ("createdAt" DESC, status);
