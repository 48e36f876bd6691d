delete from session where admin_id = $1
