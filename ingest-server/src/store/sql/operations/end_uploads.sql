update upload set stage = 'terminated' where stage in ('receiving', 'assembling')
