# Tables in Markdown: all budgets with what was measured, the operations, the headers.
function plan(key, text) {
  keys[++planned] = key
  texts[key] = text
}

BEGIN {
  percentile_count = split("p50 p90 p99 p99.9 max", percentiles, " ")
  plan("send cpu_ratio", "signed SendMessage, CPU a request, in multiples of bare libcurl with the same bytes")
  plan("send allocations_beyond_floor", "the same, allocations beyond those of bare libcurl")
  plan("gateway cpu_ratio", "publish through the gateway with a cached token of 1 kB, CPU, likewise")
  plan("sendbatch cpu_ratio", "SendMessageBatch of 10, hashes checked, CPU, likewise")
  plan("recvdel cpu_ratio", "ReceiveMessage of 10 and DeleteMessageBatch, parsed and checked, CPU, likewise")
  plan("inflight part_of_possible", "one thread, 256 exchanges in flight, answers after 50 ms: part of the possible rate")
  plan("inflight cpu_ratio_to_blocking", "the same, CPU a request in multiples of a blocking send")
  plan("submit of 100 groups median_us", "submit() of 256 bytes among 100 groups, median, µs")
  plan("submit of 100000 groups median_us", "submit() of 256 bytes among 100,000 groups, median, µs")
  plan("compile sending_ratio", "compiling the file that wires (-O2), in multiples of simdjson.h with curl.h")
  plan("compile other_ratio", "compiling a file that uses producer.hpp, likewise")
  plan("compile stripped_kb", "a sending program, stripped, kB")
}

function figure(what, name, measured, relation, budget, holds,    key, low, high) {
  key = what " " name
  if (!(key in texts)) plan(key, key)
  low = value[name "_p10"]
  high = value[name "_p90"]
  rows[key] = (relation == "<=" ? "≤ " : "≥ ") budget " | " measured \
    (low != "" && high != "" ? " (" low " to " high ")" : "") " | " (holds ? "met" : "**not met**")
}

function line(what) {
  if ("requests_per_s" in value)
    operations[++operation_count] = what " | " int(value["requests_per_s"]) " | " int(value["messages_per_s"]) " | " \
      value["cpu_us_per_request"] " | " value["floor_cpu_us_per_request"] " | " value["cpu_us_per_message"] " | " \
      value["allocations_per_request"]
  if (value["op"] == "latency") {
    latencies[++latency_count] = latency_row("dmq", "")
    latencies[++latency_count] = latency_row("bare libcurl", "floor_")
  }
  if (value["op"] == "client") {
    if (!(value["client"] in clients)) client_names[++client_count] = value["client"]
    clients[value["client"]]
    costs[value["client"], value["call"]] = value["cpu_us_per_request"]
  } else if ("floor_cpu_us_per_request" in value) {
    costs["dmq", value["op"]] = value["cpu_us_per_request"]
    costs["bare libcurl", value["op"]] = value["floor_cpu_us_per_request"]
  }
  if ("header" in value) headers[++header_count] = value["header"] " | " value["compile_s"] " | " value["part_of_floor"]
}

function latency_row(who, prefix,    row, i) {
  row = value["rate"] " | " who
  for (i = 1; i <= percentile_count; ++i) row = row sprintf(" | %d", value[prefix percentiles[i] "_us"] + 0.5)
  return row
}

function cost_row(who) {
  return who " | " costs[who, "send"] " | " costs[who, "sendbatch"] " | " costs[who, "recvdel"]
}

function rows_of(list, count,    i) {
  for (i = 1; i <= count; ++i) print "| " list[i] " |"
}

END {
  print "## Budgets\n\nIn brackets: nine of ten pairs of rounds are above the first figure, and nine of ten below the second.\n"
  print "| what | budget | measured | |\n| --- | --- | --- | --- |"
  for (i = 1; i <= planned; ++i) print "| " texts[keys[i]] " | " (keys[i] in rows ? rows[keys[i]] : " | not measured |") " |"
  print "\n## Operations\n\nCPU time in µs, the kernel's included. Rates are by wall time, of one thread, and of consume with all its workers.\n"
  print "| operation | requests/s | messages/s | CPU a request | bare libcurl | CPU a message | allocations a request |"
  print "| --- | --- | --- | --- | --- | --- | --- |"
  rows_of(operations, operation_count)
  print "\n![CPU time of a request, of dmq and of bare libcurl](cost.svg)"
  if (latency_count > 0) {
    print "\n## Latency\n\nBlocking publish to local_cloud on one thread at a fixed rate, in µs. Each request has a time at which"
    print "it is due, whatever became of those before it, and its latency is counted from then: a stall counts for all"
    print "that it held up. Bare libcurl takes turns of half a second with dmq, and sends requests that were signed"
    print "before, each with a deduplication id of its own, so that local_cloud does the same for both. This is wall"
    print "time, that of local_cloud included: other programs on the machine show in it, most of all in the last columns.\n"
    print "| requests/s | of | p50 | p90 | p99 | p99.9 | max |\n| --- | --- | --- | --- | --- | --- | --- |"
    rows_of(latencies, latency_count)
    print "\n![Latency by percentile, of dmq and of bare libcurl](latency.svg)"
  }
  if (client_count > 0) {
    print "\n## Other clients\n\nCPU time of a request in µs, all threads of a process included: one message, ten messages, and receiving and"
    print "deleting ten. These run against local_cloud, with bodies of 256 bytes; dmq and libcurl as above.\n"
    print "| client | send | sendbatch | recvdel |\n| --- | --- | --- | --- |"
    for (i = 1; i <= client_count; ++i) client_rows[i + 2] = cost_row(client_names[i])
    client_rows[1] = cost_row("bare libcurl")
    client_rows[2] = cost_row("dmq")
    rows_of(client_rows, client_count + 2)
  }
  if (header_count == 0) exit
  print "\n## Headers\n\nA file with nothing but the header, -O2, in seconds of CPU time.\n"
  print "| header | seconds | of simdjson.h with curl.h |\n| --- | --- | --- |"
  rows_of(headers, header_count)
}
