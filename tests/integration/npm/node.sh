# Sourced: `node` is the one that npm installed in $npm, where there is one for this machine.
[ -f "$npm/node_modules/.dmq-lock" ] || skip "the packages from npm are not installed, for which the test npm: install has the reason"
if [ -x "$npm/node_modules/.bin/node" ]; then PATH=$npm/node_modules/.bin:$PATH; fi
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 22 ]; then skip "Node is $(node --version), and these packages need 22"; fi
