-- What an act changed, as it was and as it is, by hash; and the hash of where a login came from.
alter table audit add column state_before_sha256 text;
alter table audit add column state_after_sha256 text;
alter table audit add column address_sha256 text;

-- Where logins came from, with what makes the hash in the chain of it. A row goes when its time is over.
create table audit_address (
    seq bigint not null primary key references audit (seq),
    at bigint not null,
    salt text not null,
    address text not null
);
create index audit_address_by_time on audit_address (at);

-- The list of tokens named workers by their real names.
update token set name = (select alias from worker where worker.id = token.worker_id) where worker_id is not null
    and name <> 'erased';
