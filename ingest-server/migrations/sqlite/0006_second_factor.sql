-- When a login last proved who it is, with the password or a code.
alter table session add column proven_at bigint not null default 0;

-- Codes by time (RFC 6238). The secret is kept readable, since codes are computed of it.
create table totp (
    admin_id text not null primary key references admin (id),
    secret text not null,
    -- Null until a first code was shown to be right.
    confirmed_at bigint,
    -- A code of this step of time or an earlier one is refused.
    last_step bigint not null,
    created_at bigint not null
);

create table recovery_code (
    admin_id text not null references admin (id),
    code_sha256 text not null,
    used_at bigint,
    primary key (admin_id, code_sha256)
);

-- Logins that failed, by hashes of who was meant and where they came from, whether there is such an account or not.
create table login_failure (
    key_sha256 text not null primary key,
    failures bigint not null,
    wait_until bigint not null,
    updated_at bigint not null
);
create index login_failure_by_change on login_failure (updated_at);

-- A login that ends takes the others of its person with it.
create index session_by_admin on session (admin_id);

alter table admin drop column failed_logins;
alter table admin drop column locked_until;
