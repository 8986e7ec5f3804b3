-- Reserves the cost of a request on the account with most left. Does the same as MemoryBudgets.lease, for all workers.
-- KEYS: for each account its budget (hash), leases (sorted set "resource|cost|id" by end) and block (hash).
-- ARGV: now, resource, cost, floor, id, places, is heavy (1, 0), seconds of a lease, floor's share of the limit,
--       seconds a point, seconds ahead of the pace.
-- Returns {"granted", number of the account}, {"busy", seconds} or {"closed", until, is secondary}.
local now, resource, cost, floor = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local places, heavy, seconds = tonumber(ARGV[6]), ARGV[7] == "1", tonumber(ARGV[8])
local share, spacing, ahead = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local member = resource .. "|" .. ARGV[3] .. "|" .. ARGV[5]
local best, most, busy, closed, secondary

local function close(until_, is_secondary)
  if not closed or until_ < closed then
    closed, secondary = until_, is_secondary
  end
end

for account = 1, #KEYS / 3 do
  local budget, leases, block = KEYS[3 * account - 2], KEYS[3 * account - 1], KEYS[3 * account]
  redis.call("ZREMRANGEBYSCORE", leases, "-inf", now)
  local reserved, in_flight = 0, 0
  for _, lease in ipairs(redis.call("ZRANGE", leases, 0, -1)) do
    if lease == member then
      return {"granted", tostring(account)} -- a repeated command, whose first answer was lost
    end
    local of, points = string.match(lease, "^(.-)|(%d+)|")
    if of == resource then
      reserved, in_flight = reserved + tonumber(points), in_flight + 1
    end
  end
  local blocked = tonumber(redis.call("HGET", block, "until") or 0)
  local stored = redis.call("HMGET", budget, "limit", "remaining", "reset_at", "closed_until", "unlimited_until", "paced")
  local limit, remaining, reset_at = tonumber(stored[1] or 0), tonumber(stored[2] or 0), tonumber(stored[3] or 0)
  local closed_until, unlimited_until = tonumber(stored[4] or 0), tonumber(stored[5] or 0)
  local paced = math.max(tonumber(stored[6] or 0), now)
  local known = reset_at > now
  if blocked > now then
    close(blocked, 1)
  elseif closed_until > now then
    close(closed_until, 0)
  elseif known and remaining - reserved - cost < math.min(floor, limit * share) then
    close(reset_at, 0)
  elseif (heavy or not (known or unlimited_until > now)) and in_flight >= places then
    busy = math.min(busy or 0, 0)
  elseif paced - now > ahead + 0.001 then
    busy = math.min(busy or math.huge, paced - now - ahead)
  else
    local left = known and remaining - reserved or math.huge
    if not best or left > most then
      best, most = account, left
    end
  end
end

if best then
  local budget, leases = KEYS[3 * best - 2], KEYS[3 * best - 1]
  local paced = math.max(tonumber(redis.call("HGET", budget, "paced") or 0), now)
  redis.call("HSET", budget, "paced", string.format("%.6f", paced + cost * spacing))
  if redis.call("TTL", budget) < 120 then
    redis.call("EXPIRE", budget, 120)
  end
  redis.call("ZADD", leases, string.format("%.6f", now + seconds), member)
  redis.call("EXPIRE", leases, math.ceil(2 * seconds))
  return {"granted", tostring(best)}
elseif busy then
  return {"busy", string.format("%.6f", busy)}
end
return {"closed", string.format("%.6f", closed), tostring(secondary)}
