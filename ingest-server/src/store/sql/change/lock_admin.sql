update admin set role = role where email = $1
