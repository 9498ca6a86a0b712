-- Appends a batch of notices as one entry and numbers them densely.
--
-- KEYS[1]  the stream
-- KEYS[2]  the head, a hash: id, run, seq
-- ARGV[1]  identity of the log that the caller means
-- ARGV[2]  how many notices
-- ARGV[3]  the notices
-- ARGV[4]  how many entries to keep
--
-- Answers the position of the last notice, or 'anew' when the log is another one by now.

if redis.call('HGET', KEYS[2], 'id') ~= ARGV[1] then
  return 'anew'
end
local last = string.format('%.0f', redis.call('HINCRBY', KEYS[2], 'seq', ARGV[2]))
local added = redis.pcall(
  'XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'i', ARGV[1], 's', last, 'c', ARGV[2], 'n', ARGV[3])
if type(added) == 'table' and added.err then
  redis.call('HINCRBY', KEYS[2], 'seq', '-' .. ARGV[2])
  return added
end
return last
