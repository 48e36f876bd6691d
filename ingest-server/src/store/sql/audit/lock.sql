update audit_end set seq = seq + 1 where id = 1 returning seq, sha256
