select admin.email, admin.role, session.created_at, session.seen_at
from session
join admin on admin.id = session.admin_id
where session.id_sha256 = $1
