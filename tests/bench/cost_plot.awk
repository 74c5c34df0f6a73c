# cost.svg of the lines of send, gateway, sendbatch and recvdel: awk -f lines.awk -f svg.awk -f cost_plot.awk LINES
function line(what) {
  if (!(value["op"] in names) || !("floor_cpu_us_per_request" in value)) return
  operations[++operation_count] = value["op"]
  ours[operation_count] = value["cpu_us_per_request"] + 0
  floors[operation_count] = value["floor_cpu_us_per_request"] + 0
  if (ours[operation_count] > highest) highest = ours[operation_count]
  if (floors[operation_count] > highest) highest = floors[operation_count]
}

# The least of 1, 2 and 5 times a power of ten with which at most eight steps reach the highest.
function step_of(    power, i, step) {
  for (power = 1; power <= 1e9; power *= 10)
    for (i = 1; i <= 3; ++i) {
      step = power * (i == 3 ? 5 : i)
      if (8 * step >= highest) return step
    }
}

function y_of(us) { return bottom - us / scale * (bottom - top) }

function column(x, us, colour) {
  bar(x, y_of(us), bar_width, bottom - y_of(us), colour)
  label(x + bar_width / 2, y_of(us) - 5, "middle", sprintf("%.1f", us))
}

function legend(x, text, colour) {
  bar(x, 41, 12, 12, colour)
  label(x + 18, 52, "start", text)
}

BEGIN {
  names["send"] = "publish to the queue"
  names["gateway"] = "publish through the gateway"
  names["sendbatch"] = "publish_batch of 10"
  names["recvdel"] = "receive and acknowledge 10"
  left = 70; right = 840; top = 80; bottom = 380; bar_width = 55
  dmq = "#0b62a4"; libcurl = "#b9c4cf"
}

END {
  if (operation_count == 0) exit
  step = step_of()
  for (scale = step; scale < highest; scale += step);
  begin_svg(860, 440, "CPU time of a request, the kernel's included")
  legend(310, "dmq", dmq)
  legend(380, "bare libcurl, the same bytes", libcurl)
  for (us = 0; us <= scale; us += step) {
    stroke(left "," y_of(us) " " right "," y_of(us), us == 0 ? "#222" : "#e6e6e6", 1)
    label(left - 8, y_of(us) + 4, "end", us)
  }
  for (i = 1; i <= operation_count; ++i) {
    middle = left + (i - 0.5) * (right - left) / operation_count
    column(middle - bar_width - 2, ours[i], dmq)
    column(middle + 2, floors[i], libcurl)
    label(middle, bottom + 22, "middle", names[operations[i]])
  }
  upright_label(22, (top + bottom) / 2, "µs a request")
  end_svg()
}
