#!/bin/bash
# More callers at once than one user may have answered: who asks once is told, who waits asks again.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
echo 1 >"$DIR/weights"
check "import" a import x:1 "$DIR/weights"

WAITERS=()
for i in {1..30}; do
  (a wait x:1 --for erased --timeout 3s >"$DIR/wait.$i" 2>&1; echo $? >"$DIR/waited.$i") &
  WAITERS+=($!)
done
SHOWN=()
for i in {1..120}; do
  (a show x:1 >"$DIR/show.$i" 2>&1; echo $? >"$DIR/shown.$i") &
  SHOWN+=($!)
  [ $((i % 40)) -ne 0 ] || sleep 0.3
done
wait "${SHOWN[@]}" "${WAITERS[@]}"
# How many are refused is for the machine to say.
equal "who asks once is answered, or refused" "$(cat "$DIR"/shown.* | grep -cvxE '0|16')" 0
equal "and each refusal says why" "$(cat "$DIR"/shown.* | grep -cx 16)" \
  "$(cat "$DIR"/show.* | grep -c 'questions of yours to polkit are open already')"
equal "who waits is not sent away" "$(sort -u "$DIR"/waited.*)" 6
check "and the next is answered" a show x:1
finish
