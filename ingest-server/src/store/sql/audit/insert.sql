insert into audit (
    seq, at, who, act, subject, what, request_id, before_sha256, sha256,
    state_before_sha256, state_after_sha256, address_sha256
)
values ($1, $2, $3, $4, $5, $6, cast($7 as text), $8, $9, cast($10 as text), cast($11 as text), cast($12 as text))
