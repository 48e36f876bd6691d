select at from alive where id = 1
