-- A database as the migrations of graphql-node-jobs 5.1 leave it.

CREATE TABLE "SequelizeMeta" (name varchar(255) NOT NULL PRIMARY KEY);
INSERT INTO "SequelizeMeta" VALUES ('20180101000000-theirs.js');
CREATE TABLE gnj_sequelize_meta (name varchar(255) NOT NULL PRIMARY KEY);
INSERT INTO gnj_sequelize_meta VALUES ('20190101000000-init.js'), ('20240101000000-priority-level.js');

CREATE TABLE "pipeline" (
    "id"        SERIAL PRIMARY KEY,
    "name"      VARCHAR(255),
    "metadata"  VARCHAR(255),
    "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    "deletedAt" TIMESTAMP WITH TIME ZONE,
    "status"    VARCHAR(255)
);

CREATE TABLE "batch" (
    "id"         SERIAL PRIMARY KEY,
    "status"     VARCHAR(255),
    "pipelineId" INTEGER REFERENCES "pipeline" ("id"),
    "createdAt"  TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt"  TIMESTAMP WITH TIME ZONE NOT NULL,
    "deletedAt"  TIMESTAMP WITH TIME ZONE
);

CREATE TABLE "job" (
    "id"             SERIAL PRIMARY KEY,
    "type"           VARCHAR(255),
    "status"         VARCHAR(255),
    "name"           VARCHAR(255),
    "input"          JSON,
    "output"         JSON,
    "createdAt"      TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt"      TIMESTAMP WITH TIME ZONE NOT NULL,
    "deletedAt"      TIMESTAMP WITH TIME ZONE,
    "batchId"        INTEGER REFERENCES "batch" ("id"),
    "startedAt"      TIMESTAMP WITH TIME ZONE,
    "endedAt"        TIMESTAMP WITH TIME ZONE,
    "workerId"       VARCHAR(255),
    "processingInfo" JSON,
    "startAfter"     TIMESTAMP WITH TIME ZONE,
    "isUpdateAlreadyCalledWhileCancelRequested" BOOLEAN NOT NULL DEFAULT false,
    "cancelledAt"    TIMESTAMP WITH TIME ZONE,
    "isHighFrequency" BOOLEAN NOT NULL DEFAULT false,
    "retryOfJobId"   INTEGER,
    "isRecoverable"  BOOLEAN NOT NULL DEFAULT false,
    "jobUniqueId"    VARCHAR(255),
    "pipelineId"     INTEGER,
    "priorityLevel"  INTEGER NOT NULL DEFAULT 4
);

CREATE INDEX "idx_job_type_status" ON "job" ("type", "status") WHERE "deletedAt" IS NULL;
CREATE INDEX "idx_job_created_at_desc_status" ON "job" ("createdAt" DESC, "status");

CREATE TABLE "jobHoldType" (
    "id"        SERIAL PRIMARY KEY,
    "type"      VARCHAR(255),
    "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    "deletedAt" TIMESTAMP WITH TIME ZONE
);

CREATE TABLE "pipelineStep" (
    "id"         SERIAL PRIMARY KEY,
    "jobId"      INTEGER REFERENCES "job" ("id"),
    "batchId"    INTEGER REFERENCES "batch" ("id"),
    "pipelineId" INTEGER REFERENCES "pipeline" ("id"),
    "index"      INTEGER,
    "createdAt"  TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt"  TIMESTAMP WITH TIME ZONE NOT NULL,
    "deletedAt"  TIMESTAMP WITH TIME ZONE,
    "status"     VARCHAR(255)
);

CREATE TABLE "workerMonitoring" (
    "id"           SERIAL PRIMARY KEY,
    "workerId"     VARCHAR(255),
    "createdAt"    TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt"    TIMESTAMP WITH TIME ZONE NOT NULL,
    "deletedAt"    TIMESTAMP WITH TIME ZONE,
    "workerStatus" VARCHAR(255) NOT NULL,
    "workerType"   VARCHAR(255) NOT NULL
);

CREATE MATERIALIZED VIEW "jobSuccessRating" AS
    SELECT to_char("createdAt", 'YYYY/MM/DD') AS "dateCreatedAt",
        count(*) FILTER (WHERE "status" = 'successful') AS "jobSuccess",
        count(*) FILTER (WHERE "status" = 'failed') AS "jobFailed"
    FROM "job" WHERE "createdAt" > now() - interval '30 days' GROUP BY 1;

CREATE MATERIALIZED VIEW "workerSuccessRating" AS
    SELECT "workerType", date_trunc('hour', "createdAt") AS "dateByHour",
        count(*) FILTER (WHERE "workerStatus" = 'AVAILABLE') AS "available"
    FROM "workerMonitoring" GROUP BY 1, 2;
