"""The Lua scripts of the Redis queue: each does at once what must not be torn apart by a crash or another consumer.

Every key is declared (KEYS), as cluster mode demands. They run on Redis 6.2 and later.
"""

from __future__ import annotations

# KEYS tasks. ARGV max_length, version, then pairs: payload, trace (empty: none). Appends what fits; returns how many.
PUT = """
local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
local added = 0
for i = 3, #ARGV, 2 do
  if added >= room then break end
  local entry = {'XADD', KEYS[1], '*', 'v', ARGV[2], 'task', ARGV[i]}
  if ARGV[i + 1] ~= '' then entry[#entry + 1] = 'trace'; entry[#entry + 1] = ARGV[i + 1] end
  redis.call(unpack(entry))
  added = added + 1
end
return added
"""

_BURY = """
local function field(entry, name)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == name then return entry[2][i + 1] end
  end
end
local function bury(tasks, dead, group, max_dead, entry, attempts, reason)
  local letter = {'reason', reason, 'attempts', attempts}
  for _, name in ipairs({'v', 'task', 'trace'}) do
    local value = field(entry, name)
    if value then letter[#letter + 1] = name; letter[#letter + 1] = value end
  end
  redis.call('XADD', dead, 'MAXLEN', max_dead, '*', unpack(letter))
  redis.call('XACK', tasks, group, entry[1])
  redis.call('XDEL', tasks, entry[1])
end
"""

# KEYS tasks, dead. ARGV group, consumer, count, idle_ms, max_attempts, max_dead, cursor.
# First what dead consumers left (XAUTOCLAIM leaves the count of deliveries alone with JUSTID; it is raised here, once
# the delivery is certain), then new entries. The last attempt of a task is made alone: a section that kills its
# reader does not take its neighbours along. Redis 6.2 claims entries that were deleted meanwhile: they are dropped.
# Returns {cursor, {{id, attempts, fields}...}, number of dead letters}.
TAKE = (
    _BURY
    + """
local tasks, dead, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local count, idle, max_attempts = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local claimed = redis.call('XAUTOCLAIM', tasks, group, consumer, idle, ARGV[7], 'COUNT', count, 'JUSTID')
local cursor, taken, buried, alone, returned = claimed[1], {}, 0, false, false
for _, id in ipairs(claimed[2]) do
  local entry = redis.call('XRANGE', tasks, id, id)[1]
  if not entry then
    redis.call('XACK', tasks, group, id)
  else
    local attempts = redis.call('XPENDING', tasks, group, id, id, 1)[1][4] + 1
    if attempts > max_attempts then
      bury(tasks, dead, group, ARGV[6], entry, attempts - 1, 'delivered ' .. (attempts - 1) .. ' times, never finished')
      buried = buried + 1
    elseif alone or (attempts == max_attempts and #taken > 0) then
      redis.call('XCLAIM', tasks, group, consumer, 0, id, 'IDLE', idle, 'JUSTID')
      if not returned then cursor, returned = id, true end
    else
      redis.call('XCLAIM', tasks, group, consumer, 0, id, 'IDLE', 0, 'RETRYCOUNT', attempts, 'JUSTID')
      taken[#taken + 1] = {id, attempts, entry[2]}
      alone = attempts == max_attempts
    end
  end
end
if not alone and #taken < count then
  local new = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count - #taken, 'STREAMS', tasks, '>')
  if new then
    for _, entry in ipairs(new[1][2]) do taken[#taken + 1] = {entry[1], 1, entry[2]} end
  end
end
return {cursor, taken, buried}
"""
)

# KEYS tasks. ARGV group, id... Acknowledges and deletes.
FINISH = """
for i = 2, #ARGV do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
"""

# KEYS tasks. ARGV group, consumer, idle_ms, then pairs: id, count of deliveries to set (-1: leave it).
# Sets how long deliveries have been idle, if the consumer still holds them: 0 renews, the claim time gives back.
HOLD = """
local held = 0
for i = 4, #ARGV, 2 do
  local id = ARGV[i]
  if redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2])[1] then
    local claim = {'XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'IDLE', ARGV[3], 'JUSTID'}
    if tonumber(ARGV[i + 1]) >= 0 then claim[#claim + 1] = 'RETRYCOUNT'; claim[#claim + 1] = ARGV[i + 1] end
    redis.call(unpack(claim))
    held = held + 1
  end
end
return held
"""

# KEYS tasks, dead. ARGV group, consumer, max_dead, then triples: id, attempts, reason.
# Turns deliveries that the consumer still holds into dead letters; returns how many.
BURY = (
    _BURY
    + """
local buried = 0
for i = 4, #ARGV, 3 do
  local id = ARGV[i]
  if redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2])[1] then
    local entry = redis.call('XRANGE', KEYS[1], id, id)[1] or {id, {}}
    bury(KEYS[1], KEYS[2], ARGV[1], ARGV[3], entry, ARGV[i + 1], ARGV[i + 2])
    buried = buried + 1
  end
end
return buried
"""
)

# KEYS tasks, dead. ARGV id of a dead letter... Puts dead letters back, their attempts at 0; returns how many.
RETRY = """
local back = 0
for _, id in ipairs(ARGV) do
  local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
  if entry then
    local values = {}
    for i = 1, #entry[2], 2 do values[entry[2][i]] = entry[2][i + 1] end
    redis.call('XDEL', KEYS[2], id)
    local letter = {'XADD', KEYS[1], '*', 'v', values['v'], 'task', values['task']}
    if values['trace'] then letter[#letter + 1] = 'trace'; letter[#letter + 1] = values['trace'] end
    redis.call(unpack(letter))
    back = back + 1
  end
end
return back
"""

_FORGET = """
local function forget(tasks, group, idle, only)
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', tasks, group)) do
    local consumer = {}
    for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
    if consumer['pending'] == 0 and consumer['idle'] >= idle and (not only or only == consumer['name']) then
      redis.call('XGROUP', 'DELCONSUMER', tasks, group, consumer['name'])
    end
  end
end
"""

# KEYS tasks. ARGV group, consumer, least idle ms. Removes consumers long gone that hold nothing (removing one that
# holds entries would lose them, so looking and removing must be one step) and makes this one known before it has work.
JOIN = (
    _FORGET
    + """
forget(KEYS[1], ARGV[1], tonumber(ARGV[3]))
redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], ARGV[1], ARGV[2])
"""
)

# KEYS tasks. ARGV group, consumer. Removes the consumer if it holds nothing.
LEAVE = (
    _FORGET
    + """
forget(KEYS[1], ARGV[1], 0, ARGV[2])
"""
)

# KEYS tasks, dead. ARGV group. Returns length, pending, dead, consumers, age of the oldest entry in ms.
# What is not pending was never delivered, for finished entries are deleted: Redis 6.2 reports no lag of its own.
STATUS = """
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local age, time = 0, redis.call('TIME')
if first then age = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(first[1], '^%d+')) end
return {
  redis.call('XLEN', KEYS[1]),
  redis.call('XPENDING', KEYS[1], ARGV[1])[1],
  redis.call('XLEN', KEYS[2]),
  #redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1]),
  age,
}
"""

ALL = (PUT, TAKE, FINISH, HOLD, BURY, RETRY, JOIN, LEAVE, STATUS)
