# Drawing in SVG, for latency_plot.awk and cost_plot.awk: x to the right and y down, in pixels. Reads no figures.
function figure(what, name, measured, relation, budget, holds) {}

function begin_svg(width, height, title) {
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", \
    width, height, width, height
  print "<title>" title "</title>"
  print "<style>text { font: 13px sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold }</style>"
  printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height
  label(width / 2, 26, "middle", title, "class=\"title\"")
}

function end_svg() { print "</svg>" }

# `anchor` (start, middle, end) is which part of the text is at x.
function label(x, y, anchor, text, attributes) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>\n", x, y, anchor, attributes, text
}

function upright_label(x, y, text) {
  label(x, y, "middle", text, sprintf("transform=\"rotate(-90 %.1f %.1f)\"", x, y))
}

# `points` is "x,y x,y ...".
function stroke(points, colour, width, dashes) {
  printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s/>\n", points, colour, width, \
    dashes != "" ? " stroke-dasharray=\"" dashes "\"" : ""
}

function bar(x, y, width, height, colour) {
  printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, width, height, colour
}

function dot(x, y, colour, hollow) {
  printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", x, y, \
    hollow ? "#fff" : colour, colour
}
