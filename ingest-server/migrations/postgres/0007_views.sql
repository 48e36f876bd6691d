-- Whether a person was let at a take's media of late.
create index audit_by_subject on audit (subject, at);

-- Triggers of rows see no truncate.
create trigger audit_whole before truncate on audit for each statement execute function refuse_change();
create trigger ledger_whole before truncate on ledger for each statement execute function refuse_change();
