-- Ids are text, moments bigint milliseconds, money bigint cents, booleans smallint, JSON is text nobody queries into.

create table campaign (
    id text not null primary key,
    name text not null,
    description text not null,
    currency text not null,
    created_at bigint not null
);

create table tier (
    id text not null primary key,
    campaign_id text not null references campaign (id),
    name text not null,
    position bigint not null,
    price_cents bigint not null,
    scenario_count bigint not null,
    hours bigint not null,
    level text not null,
    policy text not null,
    unique (campaign_id, name)
);

create table scenario (
    id text not null primary key,
    campaign_id text not null references campaign (id),
    position bigint not null,
    goal text not null,
    constraints text not null,
    tiers text not null
);
create index scenario_of_campaign on scenario (campaign_id, position);

create table worker (
    id text not null primary key,
    -- What reviewers and datasets see.
    alias text not null unique,
    name text not null,
    fiverr_user text not null,
    stage text not null,
    consent_version text,
    consent_at bigint,
    created_at bigint not null
);

create table invite (
    id text not null primary key,
    code_sha256 text not null unique,
    campaign_id text not null references campaign (id),
    tier_id text not null references tier (id),
    worker_id text references worker (id),
    device_id text,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);

-- Bearer tokens of workers, pipelines and admins; only the hash is kept.
create table token (
    id text not null primary key,
    secret_sha256 text not null unique,
    role text not null,
    name text not null,
    worker_id text references worker (id),
    device_id text,
    created_at bigint not null,
    revoked_at bigint
);
create index token_of_worker on token (worker_id);

create table assignment (
    id text not null primary key,
    campaign_id text not null references campaign (id),
    tier_id text not null references tier (id),
    scenario_id text not null references scenario (id),
    worker_id text not null references worker (id),
    stage text not null,
    pay_cents bigint not null,
    problem text,
    expires_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    unique (worker_id, scenario_id)
);
create index assignment_of_worker on assignment (worker_id, id);

create table upload (
    id text not null primary key,
    worker_id text not null references worker (id),
    stage text not null,
    -- Null while the length is not yet told.
    length_bytes bigint,
    received_bytes bigint not null,
    -- Serialised state of the running SHA-256 over the received bytes, in hexadecimal.
    midstate text not null,
    sha256 text,
    metadata text,
    -- Counts up with each request that takes the upload over; a write of an older one is refused.
    generation bigint not null,
    expires_at bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index upload_of_worker on upload (worker_id, stage);
create index upload_expiring on upload (stage, expires_at);

create table submission (
    id text not null primary key,
    assignment_id text not null references assignment (id),
    worker_id text not null references worker (id),
    campaign_id text not null references campaign (id),
    attempt bigint not null,
    stage text not null,
    -- Counts up with each change, so that a decision on an older state is refused.
    version bigint not null,
    receipt_id text not null unique,
    request_sha256 text not null,
    manifest text not null,
    report text,
    verdict text,
    flags text,
    duration_secs double precision,
    duplicate_of text,
    rating bigint,
    received_at bigint not null,
    updated_at bigint not null,
    unique (assignment_id, attempt)
);
create index submission_by_stage on submission (stage, received_at, id);
create index submission_of_worker on submission (worker_id, id);
create index submission_of_campaign on submission (campaign_id, stage, id);

create table submission_file (
    submission_id text not null references submission (id),
    track text not null,
    upload_id text not null references upload (id),
    bytes bigint not null,
    sha256 text not null,
    object_key text not null,
    primary key (submission_id, track)
);
create unique index submission_file_once on submission_file (upload_id);

create table artifact (
    submission_id text not null references submission (id),
    name text not null,
    job_id text not null,
    bytes bigint not null,
    sha256 text not null,
    object_key text not null,
    primary key (submission_id, name)
);

create table fingerprint (
    submission_id text not null primary key references submission (id),
    assignment_id text not null,
    sha256 text not null,
    prints text not null
);
create index fingerprint_by_file on fingerprint (sha256);

create table job (
    id text not null primary key,
    kind text not null,
    submission_id text references submission (id),
    campaign_id text not null references campaign (id),
    input_digest text not null,
    stage text not null,
    run_at bigint not null,
    attempt bigint not null,
    max_attempts bigint not null,
    lease_token text,
    lease_until bigint,
    worker text,
    progress text,
    last_error text,
    result text,
    created_at bigint not null,
    updated_at bigint not null,
    unique (kind, submission_id, input_digest)
);
create index job_waiting on job (stage, run_at);

create table review (
    id text not null primary key,
    submission_id text not null references submission (id),
    reviewer text not null,
    rating bigint not null,
    checklist text not null,
    reason text,
    note text,
    marks text not null,
    created_at bigint not null
);
create index review_of_submission on review (submission_id, created_at);

create table review_lock (
    submission_id text not null primary key references submission (id),
    held_by text not null,
    held_until bigint not null
);

-- Append only: a correction is a new row that names the one it reverses.
create table ledger (
    id text not null primary key,
    kind text not null,
    worker_id text not null references worker (id),
    campaign_id text not null references campaign (id),
    assignment_id text not null references assignment (id),
    submission_id text not null references submission (id),
    amount_cents bigint not null,
    currency text not null,
    idempotency_key text not null unique,
    reverses_id text,
    created_at bigint not null
);

create table payout (
    id text not null primary key,
    ledger_id text not null unique references ledger (id),
    worker_id text not null references worker (id),
    assignment_id text not null references assignment (id),
    submission_id text not null references submission (id),
    stage text not null,
    amount_cents bigint not null,
    currency text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index payout_of_worker on payout (worker_id, id);

create table admin (
    id text not null primary key,
    email text not null unique,
    password_hash text not null,
    role text not null,
    failed_logins bigint not null,
    locked_until bigint,
    created_at bigint not null
);

create table session (
    id_sha256 text not null primary key,
    admin_id text not null references admin (id),
    created_at bigint not null,
    seen_at bigint not null
);

-- What happened to a submission, in sentences.
create table history (
    id text not null primary key,
    submission_id text not null references submission (id),
    at bigint not null,
    who text not null,
    what text not null
);
create index history_of_submission on history (submission_id, at);
