-- Ranges that reviewers had covered for good. One that is not done is being made.
create table redaction (
    id text not null primary key,
    submission_id text not null references submission (id),
    covered text not null,
    who text not null,
    asked_at bigint not null,
    done_at bigint
);
create index redaction_of_submission on redaction (submission_id, asked_at);

-- Where a job may have put results; what of it was not handed in when the job ends is condemned.
create table job_output (
    job_id text not null references job (id),
    object_key text not null,
    primary key (job_id, object_key)
);

-- Objects whose bytes must go: at once, and once more when no signed address can bring them back.
create table condemned (
    object_key text not null primary key,
    due_at bigint not null,
    is_last smallint not null
);
create index condemned_by_due on condemned (due_at);
