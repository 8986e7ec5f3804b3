-- Releases a lease and learns what the answer said. Does the same as MemoryBudgets.settle, for all workers.
-- KEYS: the budget that was leased (hash), the budget that the answer is about (hash, mostly the same), leases, block.
-- ARGV: now, leased resource, cost, id, became, limit (0: nothing stated), remaining, reset at, actual cost, wait,
--       used up until, seconds of the same window, of the longest window, of unlimited, of the first wait, of the
--       longest wait, of a streak, seconds a point, seconds from now of the furthest moment that makes sense.
local now, cost, became = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[5]
local limit, remaining, reset_at = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local actual, wait, used_up_until = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local same, longest, unlimited = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local first_wait, longest_wait, streak_seconds = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17])
local spacing, furthest = tonumber(ARGV[18]), tonumber(ARGV[19])
local leased, budget, leases, block = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- Kept numbers and moments; what makes no sense counts as 0. NaN is neither more nor less than anything.
local function number(key, field)
  local found = tonumber(redis.call("HGET", key, field) or 0) or 0
  return found > -math.huge and found < math.huge and found or 0
end

local function moment(key, field)
  local found = number(key, field)
  return found <= now + furthest and found or 0
end

local function text(moment)
  return string.format("%.6f", moment)
end

local function keep(key, seconds)
  if redis.call("TTL", key) < seconds then
    redis.call("EXPIRE", key, math.ceil(seconds))
  end
end

redis.call("ZREM", leases, ARGV[2] .. "|" .. ARGV[3] .. "|" .. ARGV[4])

local stored = moment(budget, "reset_at")
local known = stored > now
reset_at = math.min(reset_at, now + longest)
if limit > 0 and reset_at > now then
  if known and math.abs(reset_at - stored) <= same then
    remaining, reset_at = math.min(remaining, number(budget, "remaining")), stored
  end
  redis.call("HSET", budget, "limit", limit, "remaining", remaining, "reset_at", text(reset_at))
  redis.call("HDEL", budget, "unlimited_until")
  keep(budget, reset_at - now + 60)
elseif limit == 0 and became == "fine" and not known then
  redis.call("HSET", budget, "unlimited_until", text(now + unlimited))
  keep(budget, unlimited)
end
if limit > 0 and actual ~= cost then
  local paced = math.max(moment(leased, "paced"), now)
  redis.call("HSET", leased, "paced", text(paced + (actual - cost) * spacing))
  keep(leased, 120)
end

if became == "used_up" then
  local closed_until = math.max(moment(budget, "closed_until"), math.min(used_up_until, now + longest))
  redis.call("HSET", budget, "closed_until", text(closed_until))
  keep(budget, closed_until - now + 60)
elseif became == "secondary" then
  local blocked, streak = moment(block, "until"), number(block, "streak")
  if blocked <= now then
    streak = streak + 1
  end
  if wait <= 0 then
    wait = math.min(first_wait * 2 ^ (streak - 1), longest_wait)
  end
  blocked = math.max(blocked, now + math.min(wait, longest))
  redis.call("HSET", block, "until", text(blocked), "streak", streak)
  redis.call("EXPIRE", block, math.ceil(blocked - now + streak_seconds))
elseif became == "fine" and moment(block, "until") <= now then
  redis.call("DEL", block)
end
return 1
