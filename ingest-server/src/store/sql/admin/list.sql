select admin.id, admin.email, admin.role, admin.created_at, totp.confirmed_at
from admin
left join totp on totp.admin_id = admin.id
where cast($1 as text) is null or admin.id > cast($1 as text)
order by admin.id limit $2
