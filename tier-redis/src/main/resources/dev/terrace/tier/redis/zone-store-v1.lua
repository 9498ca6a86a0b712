-- Stores an envelope if a condition holds and no promise stands against it, as one step.
--
-- KEYS[1]  the key
-- KEYS[2]  its promise
-- ARGV[1]  condition: N if newer, A if absent, V if version, U if newer and unchanged
-- ARGV[2]  the envelope
-- ARGV[3]  time to live in milliseconds; 0 for ever; -1 it is over already
-- ARGV[4]  now, milliseconds since the epoch, by the caller's clock
-- ARGV[5]  for V: the expected version, 16 bytes; for U: the version that was seen, or none
--
-- Answers: 'A' applied; 'S' and 16 bytes: superseded by that version; 'N' superseded, nothing held; 'P' and 16 bytes: that
-- version is promised; 'F' a format of another build is held.
--
-- Versions never go back, whatever the condition and whether or not the caller's clock takes what is held for expired: a clock
-- that is ahead must not bring old values back.

if later then
  return 'F'
end
local offered = ARGV[2]:sub(3, 18)
local order = version and compare(version, offered) or -1
if order == 0 then
  return 'A'
end
-- Before anything else: what is older than a promise was not taken, whatever else is held by now. Who asked may rely on that.
local promised = redis.call('GET', KEYS[2])
if promised and #promised == 16 and compare(promised, offered) > 0 then
  return 'P' .. promised
end
local now = tonumber(ARGV[4])
local live = version and struct.unpack('>I8', held, 35) > now
local condition = ARGV[1]
if condition == 'V' and not live then
  return 'N'
end
if order > 0
    or condition == 'V' and version ~= ARGV[5]
    or condition == 'U' and live and version ~= ARGV[5]
    or condition == 'A' and live and held:byte(2) == 0 and struct.unpack('>I8', held, 27) > now then
  return 'S' .. version
end
set(ARGV[2], ARGV[3])
return 'A'
