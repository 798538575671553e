-- Who works here: what workers say of themselves, and when they were seen.
CREATE TABLE IF NOT EXISTS {schema}gnj_worker (
    "workerId"    varchar(255) PRIMARY KEY,
    types         json NOT NULL,
    concurrency   integer NOT NULL,
    host          varchar(255) NOT NULL,
    version       varchar(255) NOT NULL,
    "firstSeenAt" timestamptz NOT NULL,
    "lastSeenAt"  timestamptz NOT NULL
);
