select admin.id, admin.role, admin.password_hash, totp.confirmed_at
from admin
left join totp on totp.admin_id = admin.id
where admin.email = $1
