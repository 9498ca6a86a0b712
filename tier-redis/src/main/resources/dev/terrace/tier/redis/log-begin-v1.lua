-- Tells where the log stands, and begins it anew when it is not the one this server process has kept all the time: after a
-- restart or a promotion, what was appended last may be lost, and readers must know.
--
-- KEYS[1]  the stream
-- KEYS[2]  the head, a hash: id, run, seq
-- ARGV[1]  which run of which server this is
-- ARGV[2]  identity for a log that begins anew
-- ARGV[3]  how many entries to keep
--
-- Answers identity, position of the newest notice, stream id of the newest entry.
--
-- Positions begin at a number made of the clock, so that a log that begins anew never uses one again. Below 2^53 until the
-- year 2248.

local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local id = redis.call('HGET', KEYS[2], 'id')
local seq = redis.call('HGET', KEYS[2], 'seq')
if not id or not seq or redis.call('HGET', KEYS[2], 'run') ~= ARGV[1] then
  local now = redis.call('TIME')
  local clock = (tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)) * 1024
  id = ARGV[2]
  seq = string.format('%.0f', math.max(clock, (tonumber(seq) or 0) + 1))
  redis.call('HSET', KEYS[2], 'id', id, 'run', ARGV[1], 'seq', seq)
  -- An entry without notices, so that readers that wait learn of it at once.
  local added = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'i', id, 's', seq, 'c', '0', 'n', '')
  return {id, seq, added}
end
return {id, seq, newest[1] and newest[1][1] or '0-0'}
