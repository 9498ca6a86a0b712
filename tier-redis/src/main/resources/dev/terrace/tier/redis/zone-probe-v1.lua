-- Whether the fence lets through. No keys. Answers 'A'.

return 'A'
