-- What people with power did. Each row holds the hash of the one before it; docs/decisions/0014-an-audit-log-in-a-chain.md.
create table audit (
    seq bigint not null primary key,
    at bigint not null,
    who text not null,
    act text not null,
    subject text not null,
    what text not null,
    request_id text,
    before_sha256 text not null,
    sha256 text not null
);

-- Its one row is the end of the chain, and the lock of whoever appends.
create table audit_end (
    id bigint not null primary key,
    seq bigint not null,
    sha256 text not null
);

create trigger audit_stays before update on audit begin select raise(abort, 'a row of the audit log is never changed'); end;
create trigger audit_remains before delete on audit begin select raise(abort, 'a row of the audit log is never removed'); end;
create trigger ledger_stays before update on ledger begin select raise(abort, 'a row of the ledger is never changed'); end;
create trigger ledger_remains before delete on ledger begin select raise(abort, 'a row of the ledger is never removed'); end;
