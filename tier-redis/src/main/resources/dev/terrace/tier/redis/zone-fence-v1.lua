-- Fence of zone @ZONE@, incarnation @TOKEN@.
--
-- The words between at signs are filled in before this is loaded, so the digest is another one in every incarnation. A server
-- that restarted or was promoted does not know it and answers NOSCRIPT. That alone is not enough:
--   * servers before 7.0 write loaded scripts into their append-only file and hand them to their replicas, so the digest
--     survives what it should not. They are known by their run ids (true: not needed);
--   * a server that was demoted for a while and promoted again kept its process and its scripts, but took over the data of
--     another. It is known by its replication history: the id is the one seen at admission, or was renewed as a primary
--     renews it when its first replica comes or its last has long gone (then there is no second id);
--   * what was flushed lost the zone's record (not looked at in a Redis Cluster, where it lies in one shard).
--
-- Plain finds, because patterns with captures take the server twice as long. The text is a format: nodes of different builds must
-- make the same of it, or they take each other's zones for forgetful.
do
  if not (@RUN_IS_KNOWN@) then
    return redis.error_reply('FORGETFUL the server was restarted or replaced')
  end
  local info = redis.call('INFO', 'replication')
  if not string.find(info, 'role:master', 1, true) then
    return redis.error_reply('FORGETFUL the server is not a primary')
  end
  if not (@HISTORY_IS_KNOWN@)
      and not string.find(info, 'master_replid2:0000000000000000000000000000000000000000', 1, true) then
    return redis.error_reply('FORGETFUL the server was a replica for a while')
  end
  local record = '@RECORD@'
  if record ~= '' then
    local held = redis.call('GET', record)
    if not held or not string.find(held, '\n@TOKEN@\n', 1, true) then
      return redis.error_reply('FORGETFUL the zone was flushed, rolled back or admitted anew')
    end
  end
end

