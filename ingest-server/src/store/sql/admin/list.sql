select admin.id, admin.email, admin.role, admin.created_at, totp.confirmed_at
from admin
left join totp on totp.admin_id = admin.id
where admin.id > coalesce(cast($1 as text), '')
order by admin.id limit $2
