-- Whether this server is still what it was when a filling began: the fence above knows the process and its history, the mark
-- knows whether it was flushed. If so, and if this server is to have it, writes the zone's record in place of the mark.
--
-- KEYS[1]  the filling's mark on this server
-- KEYS[2]  the zone's record; only where ARGV[2] is given
-- ARGV[1]  what the mark must say
-- ARGV[2]  the record to write
--
-- Answers 'A', or an error as the fence does.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FORGETFUL the zone was flushed since its filling began')
end
if ARGV[2] then
  redis.call('SET', KEYS[2], ARGV[2])
  redis.call('DEL', KEYS[1])
end
return 'A'
