-- Stores an envelope if its version is the one that was promised, as one step.
--
-- KEYS[1]  the key
-- KEYS[2]  its promise
-- ARGV[1]  the envelope
-- ARGV[2]  time to live in milliseconds; 0 for ever; -1 it is over already
--
-- Answers as zone-store does; 'S' and 'N' also when the promise was forgotten. The promise stays: what is older and still on its
-- way must go on being told of it, also once something newer is held.

if later then
  return 'F'
end
local offered = ARGV[1]:sub(3, 18)
local order = version and compare(version, offered) or -1
if order == 0 then
  return 'A'
end
if order > 0 then
  return 'S' .. version
end
local promised = redis.call('GET', KEYS[2])
local kept = promised and #promised == 16 and compare(promised, offered) or -1
if kept > 0 then
  return 'P' .. promised
end
if kept < 0 then
  return version and 'S' .. version or 'N'
end
set(ARGV[1], ARGV[2])
return 'A'
