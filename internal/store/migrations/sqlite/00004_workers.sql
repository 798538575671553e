-- Who works here: what workers say of themselves, and when they were seen.
CREATE TABLE IF NOT EXISTS gnj_worker (
    "workerId"    varchar(255) PRIMARY KEY,
    types         text NOT NULL,
    concurrency   integer NOT NULL,
    host          varchar(255) NOT NULL,
    version       varchar(255) NOT NULL,
    "firstSeenAt" datetime NOT NULL,
    "lastSeenAt"  datetime NOT NULL
) WITHOUT ROWID;
