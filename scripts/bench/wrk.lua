-- The key is in the environment, because other accounts can see arguments.  WRK_PATHS is a file
-- with paths, which take turns; WRK_BODY is JSON to post.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("WA_API_KEY")

local paths = {}
local place = 0

if os.getenv("WRK_PATHS") then
	for path in io.lines(os.getenv("WRK_PATHS")) do
		paths[#paths + 1] = path
	end
	request = function()
		place = place % #paths + 1
		return wrk.format(nil, paths[place])
	end
end
if os.getenv("WRK_BODY") then
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
	wrk.body = os.getenv("WRK_BODY")
end

-- One line for bench/run: requests, microseconds, failed requests, and the 99th percentile in
-- microseconds.
function done(summary, latency, requests)
	local errors = summary.errors
	print(string.format("result %d %d %d %d", summary.requests, summary.duration,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(99)))
end
