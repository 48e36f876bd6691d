select seq, sha256 from audit_end where id = 1
