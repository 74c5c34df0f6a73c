# lines raw | escaped: 1,000 lines GROUP<TAB>BODY in seven groups, always the same. With `raw` a body is what it is; with
# `escaped` backslashes introduce tabs and line ends. Ten bodies that follow each other are of 200 KB.
lines() {
  awk -v kind="$1" '
    BEGIN {
      split("plain \"quoted\" & % + = <tag> %41 a&Action=DeleteQueue \047single\047 {\"json\":[1,\"x\"]}" \
            " 😀🏳️‍🌈 日本語 é $util.urlEncode() ; , / ? # @ ~ |", words, " ")
      for (n in words) ++count
      if (kind == "escaped") odd = " \\\\ \\t \\n \\r\\n \\\\n \\\\u0041 "
      else odd = " \\ \\n \\\\ \t \\u0000 \r "
      for (i = 0; i < 4000; ++i) large = large "0123456789 \"quoted\" & %41 é 😀 0123456789abcdef "
      for (i = 1; i <= 1000; ++i) {
        state = (state * 7141 + 54773) % 259200
        body = i " " words[state % count + 1] odd words[(state + i) % count + 1]
        if (i > 500 && i <= 510) body = body " " large
        printf "group-%d\t%s\n", state % 7, body
      }
    }'
}

# Lines as `lines raw` prints them, in the way `consumer` writes bodies.
escape_bodies() {
  awk '{
    tab = index($0, "\t")
    body = substr($0, tab + 1)
    gsub(/\\/, "&&", body)
    gsub(/\t/, "\\t", body)
    gsub(/\r/, "\\r", body)
    print substr($0, 1, tab) body
  }'
}
