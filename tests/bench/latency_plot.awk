# latency.svg of the lines of latency: awk -f lines.awk -f svg.awk -f latency_plot.awk LINES
function line(what,    i, name) {
  if (value["op"] != "latency") return
  rates[++rate_count] = value["rate"] + 0
  for (i = 1; i <= percentile_count; ++i) {
    name = percentiles[i] "_us"
    latency[rate_count, i] = widen(value[name] + 0)
    floor_latency[rate_count, i] = widen(value["floor_" name] + 0)
  }
}

# Keeps the bounds of the scale, of what is shown.
function widen(us) {
  if (us < 1) us = 1
  if (lowest == 0 || us < lowest) lowest = us
  if (us > highest) highest = us
  return us
}

function x_of(i) { return left + 40 + (i - 1) * (right - left - 80) / (percentile_count - 1) }
function y_of(us) { return bottom - (log(us) - log(lowest)) / (log(highest) - log(lowest)) * (bottom - top) }

# 1, 2 and 5 of each power of ten: down to the last that is not above the lowest, up to the first not below the highest.
function scale(    power, step, mark, from, to) {
  for (power = 1; power <= 1e9; power *= 10)
    for (step = 1; step <= 3; ++step) {
      mark = power * (step == 3 ? 5 : step)
      if (mark <= lowest) from = mark
      marks[++mark_count] = mark
      if (mark >= highest && to == 0) to = mark
    }
  lowest = from
  highest = to > from ? to : 10 * from
}

function thousands(number) {
  return number < 1000 ? number "" : thousands(int(number / 1000)) "," sprintf("%03d", number % 1000)
}

function curve(row, colour, is_floor,    i, points) {
  for (i = 1; i <= percentile_count; ++i)
    points = points sprintf("%.1f,%.1f ", x_of(i), y_of(is_floor ? floor_latency[row, i] : latency[row, i]))
  stroke(points, colour, 2, is_floor ? "6,4" : "")
  for (i = 1; i <= percentile_count; ++i)
    dot(x_of(i), y_of(is_floor ? floor_latency[row, i] : latency[row, i]), colour, is_floor)
}

function legend(at, text, colour, is_floor,    y) {
  y = top + 10 + 22 * at
  stroke(right + 20 "," y " " right + 54 "," y, colour, 2, is_floor ? "6,4" : "")
  dot(right + 37, y, colour, is_floor)
  label(right + 62, y + 4, "start", text)
}

BEGIN {
  percentile_count = split("p50 p90 p99 p99.9 max", percentiles, " ")
  split("50 %|90 %|99 %|99.9 %|100 % (max)", percentile_names, "|")
  colour_count = split("#0b62a4 #c8500a #23803a #7b3fa0 #8a6d00 #555555", colours, " ")
  left = 90; right = 640; top = 50; bottom = 410
}

END {
  if (rate_count == 0) exit
  scale()
  begin_svg(860, 480, "Latency of publish, counted from when each request was due")
  for (i = 1; i <= mark_count; ++i) {
    if (marks[i] < lowest || marks[i] > highest) continue
    y = y_of(marks[i])
    stroke(left "," y " " right "," y, marks[i] ~ /^10*$/ ? "#bbb" : "#e6e6e6", 1)
    label(left - 8, y + 4, "end", thousands(marks[i]))
  }
  for (i = 1; i <= percentile_count; ++i) {
    stroke(x_of(i) "," bottom " " x_of(i) "," bottom + 6, "#222", 1)
    label(x_of(i), bottom + 22, "middle", percentile_names[i])
  }
  stroke(left "," top " " left "," bottom " " right "," bottom, "#222", 1)
  label((left + right) / 2, bottom + 48, "middle", "part of the requests that took at most so long")
  upright_label(24, (top + bottom) / 2, "latency in µs, logarithmic")
  for (row = 1; row <= rate_count; ++row) {
    colour = colours[(row - 1) % colour_count + 1]
    curve(row, colour, 1)
    curve(row, colour, 0)
    legend(2 * row - 2, "dmq, " thousands(rates[row]) "/s", colour, 0)
    legend(2 * row - 1, "bare libcurl, " thousands(rates[row]) "/s", colour, 1)
  }
  end_svg()
}
