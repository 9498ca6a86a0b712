-- Keeps a promise that another zone has given, past the fence: how a zone is filled that may have forgotten its own.
--
-- KEYS[1]  the key
-- KEYS[2]  its promise
-- ARGV[1]  the version, 16 bytes
-- ARGV[2]  for how long at least, milliseconds: never shorter than what was promised before
--
-- Answers: 'A'.

local promised = redis.call('GET', KEYS[2])
local higher = promised and #promised == 16 and compare(promised, ARGV[1]) > 0
local keep = ARGV[2]
local left = promised and redis.call('PTTL', KEYS[2]) or -1
if left > tonumber(keep) then
  keep = left
end
redis.call('SET', KEYS[2], higher and promised or ARGV[1], 'PX', keep)
return 'A'
