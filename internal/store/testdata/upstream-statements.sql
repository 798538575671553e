-- Statements of the kind that upstream's program (by way of Sequelize) runs:
-- they name its own columns and no others.

INSERT INTO "job" ("id", "type", "status", "name", "input", "isUpdateAlreadyCalledWhileCancelRequested", "isHighFrequency",
    "isRecoverable", "jobUniqueId", "createdAt", "updatedAt")
VALUES (DEFAULT, 'up', 'queued', 'by upstream', '{"a":1}', false, false, false, 'race', now(), now())
RETURNING "id", "type", "batchId", "jobUniqueId", "name", "input", "output", "status", "processingInfo", "startAfter",
    "isUpdateAlreadyCalledWhileCancelRequested", "isHighFrequency", "retryOfJobId", "isRecoverable", "workerId",
    "cancelledAt", "startedAt", "endedAt", "createdAt", "updatedAt", "deletedAt", "pipelineId";

INSERT INTO "pipeline" ("id", "name", "status", "createdAt", "updatedAt") VALUES (DEFAULT, 'by upstream', 'planned', now(), now());

INSERT INTO "batch" ("id", "pipelineId", "createdAt", "updatedAt") VALUES (DEFAULT, currval(pg_get_serial_sequence('"pipeline"', 'id')), now(), now());

INSERT INTO "pipelineStep" ("id", "jobId", "pipelineId", "index", "status", "createdAt", "updatedAt")
VALUES (DEFAULT, currval(pg_get_serial_sequence('"job"', 'id')), currval(pg_get_serial_sequence('"pipeline"', 'id')), 1, 'planned', now(), now());

INSERT INTO "jobHoldType" ("id", "type", "createdAt", "updatedAt") VALUES (DEFAULT, 'held by upstream', now(), now());

INSERT INTO "workerMonitoring" ("id", "workerId", "workerStatus", "workerType", "createdAt", "updatedAt")
VALUES (DEFAULT, 'w9', 'PROCESSING', 'up', now(), now());

-- The acquire.
UPDATE "job" SET "status" = 'processing', "startedAt" = now(), "updatedAt" = now(), "workerId" = 'upstream worker'
WHERE "id" = (
    SELECT "id" FROM "job"
    WHERE "deletedAt" IS NULL AND "type" IN ('up') AND "status" = 'queued' AND ("startAfter" IS NULL OR "startAfter" < now())
    ORDER BY "id" ASC LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING "id";

UPDATE "job" SET "status" = 'successful', "output" = '{"ok":true}', "endedAt" = now(), "updatedAt" = now()
WHERE "workerId" = 'upstream worker' AND "deletedAt" IS NULL;

-- A retry is a copy that shares the unique id.
INSERT INTO "job" ("type", "status", "jobUniqueId", "retryOfJobId", "createdAt", "updatedAt")
SELECT "type", 'queued', "jobUniqueId", "id", now(), now()
FROM "job" WHERE "workerId" = 'upstream worker';

-- Deleting is soft.
UPDATE "job" SET "deletedAt" = now() WHERE "deletedAt" IS NULL AND "workerId" = 'upstream worker';

UPDATE "jobHoldType" SET "deletedAt" = now() WHERE "deletedAt" IS NULL AND "type" = 'held by upstream';

SELECT count(*) AS "count" FROM "job" AS "job" WHERE "job"."deletedAt" IS NULL AND "job"."status" = 'queued';

REFRESH MATERIALIZED VIEW "jobSuccessRating";

REFRESH MATERIALIZED VIEW "workerSuccessRating";
