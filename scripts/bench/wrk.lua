-- The key is in the environment, because other accounts can see arguments.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("WA_API_KEY")

-- One line for bench/run: requests, microseconds, failed requests.
function done(summary, latency, requests)
	local errors = summary.errors
	print(string.format("result %d %d %d", summary.requests, summary.duration,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
