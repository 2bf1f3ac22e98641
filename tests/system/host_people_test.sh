#!/bin/bash
# Who may call what, with real users and the real polkit: every method of the interface for every role,
# for nobody, for those whom a rule of the host refuses, and where polkit does not answer; and
# passwords, typed at a terminal. The methods come from the interface, their actions from
# org.aierase1(5): a method without either has no row, and fails.
. "${SOURCE:?run it by ctest}/tests/system/container.sh"

mkdir "$work/share/debs" "$work/share/model"
take_packages "$work/share/debs"
head -c 3000 /dev/urandom >"$work/share/model/weights.bin"
cp "$SOURCE"/tests/system/{caller,terminal}.py "$work/share/"
chmod -R a+rX "$work/share"

# ---- the table -----------------------------------------------------------------------------------
python3 - "$SOURCE" >"$work/share/table" 2>"$work/out" <<'PYTHON' || { cat "$work/out"; exit 1; }
import re, sys
from pathlib import Path
from xml.etree import ElementTree
source = Path(sys.argv[1])
actions = {}
for row in (source / "man/org.aierase1.5").read_text().split("\n.Ss org.aierase1.")[1:]:
    for name, action in re.findall(r'^\.It Fn (\w+) .*?Ta ([a-z-]+)', row, re.M):
        actions[row.split("\n")[0] + "." + name] = action
known = set(re.findall(r'action id="org\.aierase1\.([a-z-]+)"',
                       (source / "policies/polkit/org.aierase1.policy").read_text()))
seen = set()
for file in sorted((source / "lib/bus/interfaces").glob("*.xml")):
    interface = file.name.split(".")[2]
    if interface == "Job":  # its starter's alone, whatever polkit says
        continue
    for method in ElementTree.parse(file).getroot().iter("method"):
        name = interface + "." + method.get("name")
        seen.add(name)
        if actions.get(name) not in known:
            sys.exit(f"{name}: org.aierase1(5) names no action for it that there is: {actions.get(name)}")
        kinds = [a.get("type") for a in method.iter("arg") if a.get("direction", "in") == "in"]
        print(interface, method.get("name"), actions[name], *kinds)
if seen != set(actions):
    sys.exit(f"org.aierase1(5) has methods that are not there: {set(actions) - seen}")
PYTHON
methods=$(wc -l <"$work/share/table")
awk '{$3 = ""; print}' "$work/share/table" >"$work/share/methods"
[ "$methods" -ge 40 ] && ok "$methods methods have a row" || fail "there are only $methods methods"
boot
check "the packages install" in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/*.deb'
for user in olga:aierase-operators carl:aierase-custodians mara:aierase-managers \
  anna:aierase-auditors hugo:aierase-hold-keepers sven:nogroup dora:aierase-operators,aierase-managers; do
  in_host useradd --create-home --groups "${user#*:}" "${user%:*}"
done
in_host sh -c 'echo root:open-sesame | chpasswd'
check "a store" a mara init

# ---- every method for every role -------------------------------------------------------------------
calls() {  # USER: the answers to all methods, one line each
  in_host setpriv --reuid "$1" "${@:2}" python3 /share/caller.py <"$work/share/methods" >"$work/out" 2>&1
}
member() { calls "$1" --regid "$1" --init-groups; }
# judge EXPECTED: of each method, by its action: allow, password or no.
judge() {
  python3 - "$work/share/table" "$work/out" "$1" <<'PYTHON'
import sys
table = [row.split() for row in open(sys.argv[1])]
answers = [line.rstrip("\n").split("\t") for line in open(sys.argv[2])]
allowed = sys.argv[3].split(",")
other = allowed.pop()
wrong = [] if len(answers) == len(table) else [f"{len(answers)} answers: {answers[-2:]}"]
for (interface, method, action, *_), (name, outcome, sentence) in zip(table, answers):
    denied = outcome == "AccessDenied"
    if denied and "needs a password" in sentence: got = "password"
    elif denied: got = "no"
    else: got = "allow"
    if got in ("password", "no") and other in ("password", "no") and action not in sentence and other != "gone":
        wrong.append(f"{name} asked for something else than {action}: {sentence}")
    if name != f"{interface}.{method}" or got != ("allow" if action in allowed else {"gone": "no"}.get(other, other)):
        wrong.append(f"{name} ({action}): {got}: {outcome} {sentence}")
print("; ".join(wrong[:6]))
PYTHON
}
# What aierase(1) PEOPLE gives each of them; beyond that an administrator's password is asked for.
while read -r user who may; do
  member "$user"
  equal "$who may do what is theirs, and nothing else of $methods methods" "$(judge "$may")" ""
done <<'ROLES'
olga an-operator read,import,export,export-key,mount,change,retire,password
carl a-custodian read,change,approve,validate,password
anna an-auditor read,password
hugo a-hold-keeper read,place-hold,lift-hold,password
mara a-manager read,manage-policy,manage-store,password
aierase-enforce the-nightly-run read,retire,password
aierase-notify the-notices read,password
sven nobody password
ROLES
in_host sh -c 'echo "polkit.addRule(function (action, subject) {
  if (subject.user == \"dora\" && action.id.indexOf(\"org.aierase1.\") === 0) return polkit.Result.NO;
});" >/etc/polkit-1/rules.d/10-no.rules'
refuses() { member dora; [ "$(judge no)" = "" ]; }
check "whom a rule of the host refuses may nothing, whatever her groups, and no password helps" until_true refuses
calls 54321 --regid 54321 --clear-groups
equal "a number that never had a name is not let on the bus" "$(grep -vc ENOTCONN "$work/out")" 0
in_host useradd --groups aierase-operators,aierase-managers tom
{ sleep 1; in_host userdel -f tom 2>/dev/null; cat "$work/share/methods"; } |
  as tom python3 /share/caller.py >"$work/out" 2>&1
equal "one whose name is taken away while he is on it has no role any more" "$(judge password)" ""
check "a key of a data set" a olga import secret:1 --kind dataset-key --generate --custodian carl
check "a model" a olga import keep:1 /share/model --custodian carl
refused 5 "an auditor exports no key" a anna export secret:1 /home/anna/key
says "which is an action of its own" 'org\.aierase1\.export-key'
check "a dry run of the nightly one is reading" a anna enforce --dry-run

# ---- passwords ---------------------------------------------------------------------------------------
typed() { in_host python3 /share/terminal.py "$@"; }  # USER PASSWORD COMMAND...
check "at a terminal the password of an administrator helps" typed sven open-sesame aierase show keep:1
says "who asks, and for what" 'Authentication is required to look at the inventory of models'
check "for what takes a job, too" typed sven open-sesame aierase import typed:1 /share/model --custodian carl --label t=1
refused 5 "another one does not" typed sven wrong aierase list
refused 5 "and where nobody may be asked nobody is" typed sven open-sesame aierase --no-ask-password list
equal "not a word" "$(grep -c 'assword:' "$work/out")" 0
refused 5 "without a terminal nobody is" as sven setsid aierase list
refused 130 "whoever presses ^C has his terminal back as it was" typed sven ^C aierase list
while IFS= read -r verb; do
  # shellcheck disable=SC2086
  typed sven ^C aierase $verb >"$work/out" 2>&1
  says "a question: ${verb%% --*}" 'Authentication is required to'
  equal "with every word of it" "$(grep -cF '$(' "$work/out")" 0
done <<'VERBS'
import mine:1 /share/model --custodian carl
export keep:1 -
retire keep:1 --reason t
set keep:1 --label a=b --reason t
hold place --matter m --reason t --match name=keep
enforce
init
VERBS

# Of many runs, in one, polkitd itself answered nobody any more after the interrupted questions above,
# and had to be killed: that is told, and what follows is asked of one that answers.
polkit_answers() {
  in_host timeout 20 busctl call org.freedesktop.PolicyKit1 /org/freedesktop/PolicyKit1/Authority \
    org.freedesktop.PolicyKit1.Authority EnumerateActions s ""
}
if ! polkit_answers >"$work/out" 2>&1; then
  echo "     polkitd answers nobody: it is killed, and started anew"
  in_host systemctl kill --signal KILL polkit.service
  check "polkitd answers again" until_true polkit_answers
fi

# The question of one is no wait for the others.
in_host sh -c 'setsid python3 /share/terminal.py sven wait aierase list >/run/waits 2>&1 </dev/null & echo $! >/run/waits.pid'
asked() { in_host pgrep -f polkit-agent-helper-1; }
check "a question stands" until_true asked
begun=$(date +%s%N)
check "and others are served" a olga set keep:1 --label served=1 --reason t
[ $((($(date +%s%N) - begun) / 1000000)) -lt 2000 ] && ok "at once" || fail "at once"
in_host pkill -KILL -u sven -x aierase
unasked() { ! asked; }
check "who asked is killed, and the question goes" until_true unasked
no_agent() { ! in_host pgrep -u sven pkttyagent; }
check "with the agent" until_true no_agent

# The caller goes and an agent stays: a password that comes then is for nothing.
in_host sh -c 'rm -f /run/fifo; mkfifo /run/fifo; chmod 666 /run/fifo
  setpriv --reuid sven --regid sven --init-groups sh -c "exec python3 /share/caller.py --ask </run/fifo >/dev/null 2>&1" & echo $! >/run/caller
  exec 9>/run/fifo; setsid sleep 60 <&9 >/dev/null 2>&1 & sleep 0.5
  setsid python3 /share/terminal.py sven wait pkttyagent --process "$(cat /run/caller)" >/run/agent 2>&1 </dev/null &
  sleep 1; echo "Policy ConfirmClock a{sv}" >&9'
check "an agent of the session asks" until_true asked
in_host sh -c 'kill -KILL "$(cat /run/caller)"'
told() { in_host journalctl -q -u "$1" -o cat --no-pager | grep -q -- "$2"; }
check "its caller goes, and the call is denied" until_true told aierased 'Policy.ConfirmClock: whoever called has gone'
check "the question is taken back from polkit" until_true told polkit 'FAILED to authenticate .* org.aierase1.approve '
check "though the agent is there" in_host pgrep -u sven pkttyagent

# ---- polkit does not answer --------------------------------------------------------------------------
in_host systemctl mask --runtime --now --quiet polkit.service
for user in olga mara root; do
  member "$user"
  equal "without polkit $user may nothing" "$(judge gone)" ""
done
in_host systemctl unmask --runtime --quiet polkit.service
check "and it comes back by itself" a olga list
finish
