-- When a server of this database was last there, and for how long there was none: what was stored meanwhile was made by
-- somebody whom this database does not know, as after a backup was restored.
create table alive (
    id integer primary key,
    at bigint not null
);
create table absence (
    began_at bigint not null,
    ended_at bigint not null,
    primary key (began_at, ended_at)
);
