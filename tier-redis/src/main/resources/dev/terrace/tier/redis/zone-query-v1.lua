-- The highest version held or promised.
--
-- KEYS[1]  the key
-- KEYS[2]  its promise
--
-- Answers: 'V' and 16 bytes; 'N' none; 'F' a format of another build is held; 'R' rubbish is held.

if later then
  return 'F'
end
if rubbish then
  return 'R'
end
local promised = redis.call('GET', KEYS[2])
if promised and #promised == 16 and (not version or compare(promised, version) > 0) then
  return 'V' .. promised
end
return version and 'V' .. version or 'N'
