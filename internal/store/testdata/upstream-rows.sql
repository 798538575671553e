-- What upstream's programs may have left at any moment. Its ids start at 1.

-- 1 is half-way; 2 waits for its review; 3 failed, and its next step ran all the
-- same, as upstream does; 4 is over; 5 was deleted; 6 has no status, as old rows have.
INSERT INTO "pipeline" ("name", "metadata", "createdAt", "updatedAt", "deletedAt", "status") VALUES
    ('half-way', '{"by": "hand"}', '2024-01-01 00:00:00.123+00', '2024-01-01 00:00:00.123+00', NULL, 'processing'),
    ('planned', NULL, '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00', NULL, 'planned'),
    ('failed', NULL, '2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00', NULL, 'processing'),
    ('over', NULL, '2024-01-04 00:00:00+00', '2024-01-04 00:00:00+00', NULL, 'successful'),
    ('deleted', NULL, '2024-01-05 00:00:00+00', '2024-01-05 00:00:00+00', '2024-01-06 00:00:00+00', 'planned'),
    (NULL, NULL, '2024-01-06 00:00:00+00', '2024-01-06 00:00:00+00', NULL, NULL);

-- 1 and 2 are steps, 3 stands alone; upstream makes batches without a status.
INSERT INTO "batch" ("status", "pipelineId", "createdAt", "updatedAt", "deletedAt") VALUES
    (NULL, 1, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL),
    ('successful', 4, '2024-01-04 00:00:00+00', '2024-01-04 00:00:00+00', NULL),
    (NULL, NULL, '2024-01-05 00:00:00+00', '2024-01-05 00:00:00+00', NULL),
    ('planned', NULL, '2024-01-05 00:00:00+00', '2024-01-05 00:00:00+00', '2024-01-06 00:00:00+00');

INSERT INTO "job" ("type", "status", "name", "input", "output", "createdAt", "updatedAt", "deletedAt", "batchId",
    "startedAt", "endedAt", "workerId", "processingInfo", "startAfter", "cancelledAt", "isHighFrequency",
    "retryOfJobId", "isRecoverable", "jobUniqueId", "pipelineId") VALUES
    -- 1 to 5: pipeline 1.
    ('p1', 'successful', 'first', '{"b":1, "a" : 2}', '[1.10, 12345678901234567890]', '2024-01-01 00:00:00.123456+00', '2024-01-01 00:00:01+00', NULL, NULL, '2024-01-01 00:00:00.5+00', '2024-01-01 00:00:01+00', 'w1', NULL, NULL, NULL, false, NULL, false, NULL, 1),
    ('p2', 'processing', NULL, 'null', NULL, '2024-01-01 00:00:00+00', '2024-01-01 00:00:01+00', NULL, NULL, '2024-01-01 00:00:01+00', NULL, 'w2', '{"steps": {"a": {"percent": 10}}}', NULL, NULL, false, NULL, false, NULL, 1),
    ('p3', 'planned', NULL, '"text"', NULL, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL),
    ('p3', 'planned', NULL, NULL, NULL, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL),
    ('p4', 'planned', NULL, NULL, NULL, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, 1),
    -- 6 and 7: pipeline 2.
    ('r1', 'planned', NULL, NULL, NULL, '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, 2),
    ('r2', 'planned', NULL, NULL, NULL, '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, 2),
    -- 8 and 9: pipeline 3.
    ('f1', 'failed', NULL, NULL, '{"error": "it broke"}', '2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00', NULL, NULL, '2024-01-03 00:00:00+00', '2024-01-03 00:00:01+00', 'w1', NULL, NULL, NULL, false, NULL, true, NULL, 3),
    ('f2', 'queued', NULL, NULL, NULL, '2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, 3),
    -- 10: pipeline 4.
    ('o1', 'successful', NULL, NULL, NULL, '2024-01-04 00:00:00+00', '2024-01-04 00:00:00+00', NULL, 2, '2024-01-04 00:00:00+00', '2024-01-04 00:00:00+00', 'w1', NULL, NULL, NULL, false, NULL, false, NULL, NULL),
    -- 11: batch 3.
    ('b1', 'planned', NULL, NULL, NULL, '2024-01-05 00:00:00+00', '2024-01-05 00:00:00+00', NULL, 3, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL),
    -- 12 to 18: every status of a job alone, and one that was deleted.
    ('a', 'queued', NULL, '{"n": 1}', NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL, false, NULL, NULL),
    ('a', 'cancel-requested', NULL, NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', NULL, NULL, '2024-01-07 00:00:00+00', NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL),
    ('a', 'cancelled', NULL, NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', NULL, NULL, NULL, '2024-01-07 00:00:00+00', NULL, NULL, NULL, '2024-01-07 00:00:00+00', false, NULL, false, NULL, NULL),
    ('a', 'failed', NULL, NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', 'w1', '{"done": 1}', NULL, NULL, false, NULL, true, NULL, NULL),
    ('a', 'queued', 'for the year 9999', NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, '9999-12-31 23:59:59+00', NULL, false, NULL, false, NULL, NULL),
    ('held', 'queued', NULL, NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL),
    ('a', 'queued', 'deleted', NULL, NULL, '2024-01-07 00:00:00+00', '2024-01-07 00:00:00+00', '2024-01-08 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, 'deleted', NULL),
    -- 19 to 24: unique ids: two by a race, a retry that shares it, a deleted one before a live one.
    ('u', 'queued', 'race 1', NULL, NULL, '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, 'race', NULL),
    ('u', 'queued', 'race 2', NULL, NULL, '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, 'race', NULL),
    ('u', 'failed', 'retried', NULL, '{"error": 1}', '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', NULL, NULL, '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', NULL, NULL, NULL, NULL, false, NULL, false, 'retried', NULL),
    ('u', 'queued', 'retry', NULL, NULL, '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, 21, false, 'retried', NULL),
    ('u', 'successful', 'deleted', NULL, NULL, '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', '2024-01-10 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, 'again', NULL),
    ('u', 'queued', 'after it', NULL, NULL, '2024-01-09 00:00:00+00', '2024-01-09 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, 'again', NULL),
    -- 25: whatever a hand may write.
    (NULL, NULL, NULL, NULL, NULL, '2024-01-10 00:00:00+00', '2024-01-10 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL);

INSERT INTO "pipelineStep" ("jobId", "batchId", "pipelineId", "index", "createdAt", "updatedAt", "deletedAt", "status") VALUES
    (1, NULL, 1, 1, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 'done'),
    (2, NULL, 1, 2, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 'planned'),
    (NULL, 1, 1, 3, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, NULL),
    (5, NULL, 1, 4, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 'planned'),
    (6, NULL, 2, 1, '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00', NULL, 'planned'),
    (7, NULL, 2, 2, '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00', NULL, 'planned'),
    (8, NULL, 3, 1, '2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00', NULL, 'planned'),
    (9, NULL, 3, 2, '2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00', NULL, 'planned'),
    (NULL, 2, 4, 1, '2024-01-04 00:00:00+00', '2024-01-04 00:00:00+00', NULL, 'done'),
    (NULL, NULL, 6, NULL, '2024-01-04 00:00:00+00', '2024-01-04 00:00:00+00', NULL, NULL),
    (6, NULL, 2, 9, '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00', '2024-01-03 00:00:00+00', 'planned');

INSERT INTO "jobHoldType" ("type", "createdAt", "updatedAt", "deletedAt") VALUES
    ('held', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL),
    ('held', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL),
    ('all', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', '2024-01-02 00:00:00+00');

INSERT INTO "workerMonitoring" ("workerId", "createdAt", "updatedAt", "deletedAt", "workerStatus", "workerType") VALUES
    ('w1', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 'AVAILABLE', 'p1'),
    (NULL, '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', NULL, 'EXITED', 'p1');
