update submission set manifest = $2 where id = $1
