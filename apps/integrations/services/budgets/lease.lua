-- Reserves the cost of a request on the account with most left. Does the same as MemoryBudgets.lease, for all workers.
-- KEYS: for each account its budget (hash), leases (sorted set "resource|cost|id" by end) and block (hash).
-- ARGV: now, resource, cost, floor, id, places, is heavy (1, 0), seconds of a lease, floor's share of the limit,
--       seconds a point, seconds ahead of the pace, seconds from now of the furthest moment that makes sense.
-- Returns {"granted", number of the account}, {"busy", seconds} or {"closed", until, is secondary}.
local now, resource, cost, floor = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local places, heavy, seconds = tonumber(ARGV[6]), ARGV[7] == "1", tonumber(ARGV[8])
local share, spacing, ahead, furthest = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local member = resource .. "|" .. ARGV[3] .. "|" .. ARGV[5]
local best, most, busy, closed, secondary

local function close(until_, is_secondary)
  if not closed or until_ < closed then
    closed, secondary = until_, is_secondary
  end
end

-- Kept numbers and moments; what makes no sense counts as 0. NaN is neither more nor less than anything.
local function number(stored)
  local found = tonumber(stored or 0) or 0
  return found > -math.huge and found < math.huge and found or 0
end

local function moment(stored)
  local found = number(stored)
  return found <= now + furthest and found or 0
end

for account = 1, #KEYS / 3 do
  local budget, leases, block = KEYS[3 * account - 2], KEYS[3 * account - 1], KEYS[3 * account]
  redis.call("ZREMRANGEBYSCORE", leases, "-inf", now)
  redis.call("ZREMRANGEBYSCORE", leases, now + furthest, "+inf")
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
  local blocked = moment(redis.call("HGET", block, "until"))
  local stored = redis.call("HMGET", budget, "limit", "remaining", "reset_at", "closed_until", "unlimited_until", "paced")
  local limit, remaining, reset_at = number(stored[1]), number(stored[2]), moment(stored[3])
  local closed_until, unlimited_until = moment(stored[4]), moment(stored[5])
  local paced = math.max(moment(stored[6]), now)
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
  local paced = math.max(moment(redis.call("HGET", budget, "paced")), now)
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
