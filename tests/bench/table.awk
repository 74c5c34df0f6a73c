# Of each figure with a budget: operation, name, value, budget, whether it holds; the exit code tells whether all do.
function figure(what, name, measured, relation, budget, holds) {
  printf "%-26s %-26s %8s %s %-6s %s\n", what, name, measured, relation, budget, holds ? "" : "MISSED"
}
function line(what) {}
END { exit missed > 0 }
