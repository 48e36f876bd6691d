update upload set expires_at = expires_at + $1, updated_at = updated_at + $1
where stage in ('receiving', 'ready')
