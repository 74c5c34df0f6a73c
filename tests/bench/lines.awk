# Reads the lines of JSON of a run, and calls what another file defines: figure() for each figure with a budget, then
# line() for the line, whose fields are in `value`.
BEGIN { FS = "[{},]" }
{
  split("", value)
  count = 0
  for (i = 1; i <= NF; ++i) {
    gsub(/"/, "", $i)
    at = index($i, ":")
    if (at == 0) continue
    name = substr($i, 1, at - 1)
    value[name] = substr($i, at + 1)
    if (name ~ /_at_(most|least)$/) budgets[++count] = name
  }
  what = value["op"] ("groups" in value ? " of " value["groups"] + 0 " groups" : "")
  for (i = 1; i <= count; ++i) {
    name = budgets[i]
    most = sub(/_at_most$/, "", name)
    if (!most) sub(/_at_least$/, "", name)
    budget = value[budgets[i]] + 0
    holds = most ? value[name] + 0 <= budget : value[name] + 0 >= budget
    missed += !holds
    figure(what, name, value[name], most ? "<=" : ">=", budget, holds)
  }
  line(what)
}
