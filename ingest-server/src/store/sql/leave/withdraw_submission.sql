update submission set stage = 'withdrawn', version = version + 1, updated_at = $2 where id = $1 and stage <> 'withdrawn'
