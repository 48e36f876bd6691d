-- What a person agreed to, each time; the newest that is not withdrawn counts.
create table consent (
    id text not null primary key,
    worker_id text not null references worker (id),
    version text not null,
    -- Null where it was given before hashes were kept.
    text_sha256 text,
    language text not null,
    -- As the recorder told it.
    accepted_at bigint not null,
    received_at bigint not null,
    app_version text,
    withdrawn_at bigint
);
create index consent_of_worker on consent (worker_id, received_at);
insert into consent (id, worker_id, version, language, accepted_at, received_at)
select id, id, consent_version, 'en', coalesce(consent_at, created_at), created_at from worker where consent_version is not null;
alter table worker drop column consent_version;
alter table worker drop column consent_at;

-- Persons who want their data gone. The recordings went when it was asked; the name stays until what is owed is paid.
create table erasure (
    id text not null primary key,
    worker_id text not null unique references worker (id),
    asked_at bigint not null,
    due_at bigint not null,
    takes bigint not null,
    bytes bigint not null,
    done_at bigint
);
create index erasure_by_end on erasure (done_at, asked_at);

create index job_of_submission on job (submission_id);
create index invite_of_worker on invite (worker_id);
