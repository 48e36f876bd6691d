-- Computers from which somebody has logged in; docs/decisions/0044-a-known-device-is-not-kept-out.md.
create table known_device (
    key_sha256 text not null primary key,
    seen_at bigint not null
);
create index known_device_by_use on known_device (seen_at);

-- Condemned objects that were not removed yet, and workers who left.
create index condemned_by_pass on condemned (is_last);
create index worker_by_stage on worker (stage, id);

-- Fingerprints in the order in which their transactions were committed; docs/decisions/0045-fingerprints-are-surveyed-first.md.
alter table fingerprint add column seq bigint not null default 0;
update fingerprint set seq = counted.seq
from (select submission_id, row_number() over (order by submission_id) as seq from fingerprint) counted
where counted.submission_id = fingerprint.submission_id;
create unique index fingerprint_by_seq on fingerprint (seq);
