select audit.seq, audit.at, who, act, subject, what, request_id, before_sha256, sha256,
    state_before_sha256, state_after_sha256, address_sha256, audit_address.salt, audit_address.address
from audit
left join audit_address on audit_address.seq = audit.seq
where audit.seq > $1 order by audit.seq limit $2
