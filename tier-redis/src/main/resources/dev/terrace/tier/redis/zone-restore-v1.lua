-- Stores an envelope if newer, past the fence and past promises: how a zone that may not vote is filled.
--
-- KEYS[1]  the key
-- ARGV[1]  the envelope
-- ARGV[2]  time to live in milliseconds; 0 for ever; -1 it is over already
--
-- Answers: 'A' applied; 'S' and 16 bytes: superseded by that version; 'F' a format of another build is held.

if later then
  return 'F'
end
local order = version and compare(version, ARGV[1]:sub(3, 18)) or -1
if order > 0 then
  return 'S' .. version
end
if order < 0 then
  set(ARGV[1], ARGV[2])
end
return 'A'
