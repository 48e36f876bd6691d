insert into audit_end (id, seq, sha256) values (1, 0, '') on conflict (id) do nothing
