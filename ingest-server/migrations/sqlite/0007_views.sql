-- Whether a person was let at a take's media of late.
create index audit_by_subject on audit (subject, at);
