-- Promises to take nothing older than a version, if nothing newer is held or promised.
--
-- KEYS[1]  the key
-- KEYS[2]  its promise
-- ARGV[1]  the version, 16 bytes
-- ARGV[2]  for how long at least, milliseconds: never shorter than what was promised before
--
-- Answers: 'G' and the bytes that are held, if any: given; 'D' and 16 bytes: denied, that version is held or promised; 'F' a
-- format of another build is held; 'R' rubbish is held.

if later then
  return 'F'
end
if rubbish then
  return 'R'
end
if version and compare(version, ARGV[1]) > 0 then
  return 'D' .. version
end
local promised = redis.call('GET', KEYS[2])
if promised and #promised == 16 and compare(promised, ARGV[1]) > 0 then
  return 'D' .. promised
end
local keep = ARGV[2]
local left = promised and redis.call('PTTL', KEYS[2]) or -1
if left > tonumber(keep) then
  keep = left
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', keep)
return 'G' .. (version and redis.call('GET', KEYS[1]) or '')
