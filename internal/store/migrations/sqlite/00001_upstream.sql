-- The tables of graphql-node-jobs 5.1 in SQLite's types: times are text in one
-- fixed format, which sorts as they do.

CREATE TABLE IF NOT EXISTS pipeline (
    id          integer PRIMARY KEY AUTOINCREMENT,
    name        varchar(255),
    metadata    varchar(255),
    "createdAt" datetime NOT NULL,
    "updatedAt" datetime NOT NULL,
    "deletedAt" datetime,
    status      varchar(255)
);

CREATE TABLE IF NOT EXISTS batch (
    id           integer PRIMARY KEY AUTOINCREMENT,
    status       varchar(255),
    "pipelineId" integer REFERENCES pipeline (id),
    "createdAt"  datetime NOT NULL,
    "updatedAt"  datetime NOT NULL,
    "deletedAt"  datetime
);

CREATE TABLE IF NOT EXISTS job (
    id               integer PRIMARY KEY AUTOINCREMENT,
    type             varchar(255),
    status           varchar(255),
    name             varchar(255),
    input            text,
    output           text,
    "createdAt"      datetime NOT NULL,
    "updatedAt"      datetime NOT NULL,
    "deletedAt"      datetime,
    "batchId"        integer REFERENCES batch (id),
    "startedAt"      datetime,
    "endedAt"        datetime,
    "workerId"       varchar(255),
    "processingInfo" text,
    "startAfter"     datetime,
    "isUpdateAlreadyCalledWhileCancelRequested" boolean NOT NULL DEFAULT 0,
    "cancelledAt"    datetime,
    "isHighFrequency" boolean NOT NULL DEFAULT 0,
    "retryOfJobId"   integer,
    "isRecoverable"  boolean NOT NULL DEFAULT 0,
    "jobUniqueId"    varchar(255),
    "pipelineId"     integer,
    "priorityLevel"  integer NOT NULL DEFAULT 4
);

CREATE TABLE IF NOT EXISTS "jobHoldType" (
    id          integer PRIMARY KEY AUTOINCREMENT,
    type        varchar(255),
    "createdAt" datetime NOT NULL,
    "updatedAt" datetime NOT NULL,
    "deletedAt" datetime
);

CREATE TABLE IF NOT EXISTS "pipelineStep" (
    id           integer PRIMARY KEY AUTOINCREMENT,
    "jobId"      integer REFERENCES job (id),
    "batchId"    integer REFERENCES batch (id),
    "pipelineId" integer REFERENCES pipeline (id),
    "index"      integer,
    "createdAt"  datetime NOT NULL,
    "updatedAt"  datetime NOT NULL,
    "deletedAt"  datetime,
    status       varchar(255)
);

CREATE TABLE IF NOT EXISTS "workerMonitoring" (
    id             integer PRIMARY KEY AUTOINCREMENT,
    "workerId"     varchar(255),
    "createdAt"    datetime NOT NULL,
    "updatedAt"    datetime NOT NULL,
    "deletedAt"    datetime,
    "workerStatus" varchar(255) NOT NULL,
    "workerType"   varchar(255) NOT NULL
);

CREATE INDEX IF NOT EXISTS idx_job_type_status ON job (type, status) WHERE "deletedAt" IS NULL;

CREATE INDEX IF NOT EXISTS idx_job_created_at_desc_status ON job ("createdAt" DESC, status);
