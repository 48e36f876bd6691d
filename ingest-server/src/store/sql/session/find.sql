select admin.id, admin.email, admin.role, session.created_at, session.seen_at, session.proven_at, totp.confirmed_at
from session
join admin on admin.id = session.admin_id
left join totp on totp.admin_id = admin.id
where session.id_sha256 = $1
