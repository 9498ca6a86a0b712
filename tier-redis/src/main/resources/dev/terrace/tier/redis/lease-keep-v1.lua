-- Renews a lease, or gives it back, if it still is its owner's.
--
-- KEYS[1]  the lease's key
-- ARGV[1]  the owner
-- ARGV[2]  milliseconds after which it runs out; 0 to give it back
--
-- Answers: 'K' kept; 'W' given back, somebody asked for it meanwhile; 'U' given back, nobody did; 'N' it is not the owner's.

local lease = redis.call('GET', KEYS[1])
if not lease or lease:sub(2) ~= ARGV[1] then
  return 'N'
end
if ARGV[2] ~= '0' then
  redis.call('SET', KEYS[1], lease, 'PX', ARGV[2])
  return 'K'
end
redis.call('DEL', KEYS[1])
return lease:sub(1, 1) == '1' and 'W' or 'U'
