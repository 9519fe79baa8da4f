# SPDX-License-Identifier: GPL-2.0-only
# For the lab tests that compare counts: run workloads under one fpstat, and
# take its records apart.

# count_each DIR LAB_OPTION...: runs each line "NAME ARGUMENTS" of DIR/list as a
# workload; leaves DIR/NAME.json (a set of records), .truth, .status, .err.
count_each()
{
	each "" "stat --json --mark --witness" "$@"
}

# whatif_each: the same, with all records since the first; fails if it says a word.
# It is to read before the loads go on: on an emulated machine with more to do than it
# can, records would be lost.
whatif_each()
{
	each "renice -20 -p \$\$ &&" "whatif --json" "$@" && [ ! -s "$1/stderr" ]
}

each()
{
	local before=$1 command=$2 dir=$3 kernel=$5 work=tests/lab/workloads/build status
	shift 3

	tests/lab/lab "$@" --out "$dir" --console "$dir/console" \
		--add build/arm64/fpstat --add $work/fpload --add "$dir/list" \
		--add "$work/fpneon-$kernel.ko:/lab/fpneon.ko" --add tests/lab/in-each \
		-- sh -c "$before exec fpstat $command -o /out/sets -- in-each /out/sets list 2>/out/stderr"
	status=$?
	awk -v dir="$dir" '
		NR == FNR { name[++names] = $1; next }
		/"type":"host"/ { n++ }
		n && n <= names { print >(dir "/" name[n] ".json") }' "$dir/list" "$dir/sets"
	cat "$dir/stderr"
	return $status
}

# A state of FPSIMD has 520 bytes; one of SVE 32 registers, 17 of an eighth, FPSR, FPCR.
size_of='def size: if . == 0 then 520 else 32 * . + 17 * . / 8 + 8 end;'

# counted SET: "GS GL HS HL" charged to vcpus, then all saves and all loads, and how
# many of each were in the format of SVE: all threads have vectors of one length.
counted()
{
	jq -s -r "$size_of"'
	def total(f): map(f // 0) | add // 0;
	def in_sve($size): if .bytes == 520 * .done then 0 else (.bytes - 520 * .done) / ($size - 520) end;
	(map(select(.type == "host"))[0].sve_vl | size) as $size |
	def sve($v; $o; f): ([$v[].host, $o.task | f | in_sve($size)] +
		[$v[].guest | f | if .bytes == 520 * .done then 0 else .done end] | add // 0);
	map(select(.type == "vcpu" or .type == "ended")) as $v |
	map(select(.type == "other"))[0] as $o |
	[ ($v | total(.guest.save.done)), ($v | total(.guest.load.done)),
	  ($v | total(.host.save.done)), ($v | total(.host.load.done)) ] as $c |
	[ sve($v; $o; .save), sve($v; $o; .load) ] as $sve |
	$c + [ $c[0] + $c[2] + $o.task.save.done + $o.kernel.save.done + $o.efi.save.done,
	       $c[1] + $c[3] + $o.task.load.done + $o.kernel.load.done + $o.efi.load.done ] + $sve |
	join(" ")' "$1"
}

# judged SET: "GS GL HS HL" of vcpus that were redundant
judged()
{
	jq -s -r '
	def total(f): map(f) | add // 0;
	map(select(.type == "vcpu" or .type == "ended")) |
	[ total(.guest.save.redundant), total(.guest.load.redundant),
	  total(.host.save.redundant), total(.host.load.redundant) ] | join(" ")' "$1"
}

# logged SET LOG: all saves and loads between the marks, by QEMU, and those of SVE;
# "- - - -": no log
logged()
{
	local first last

	[ -n "$2" ] || { echo "- - - -"; return; }
	read -r first last < <(jq -r 'select(.marks).marks | join(" ")' "$1")
	tests/lab/truth-count "$2" --from "$first" --to "$last" |
		jq -r 'def sve(f): [.by | to_entries[] | select(.key | test("^(__)?sve_(" + f + ")_state$")) | .value] | add // 0;
			[.save, .load, sve("save"), sve("load|restore")] | join(" ")'
}

# contradictions SET TRUTH POLICY MODE: what else does not fit, in words. (Softirq NEON
# may get in first at each vcpu_load, and then the policy does not show.)
contradictions()
{
	jq -s -r --arg policy "$3" --arg mode "$4" --slurpfile truth "$2" "$size_of"'
	def total(f): map(f // 0) | add // 0;
	(map(select(.type == "host"))[0]) as $h |
	(map(select(.type == "witness"))[0]) as $w |
	(map(select(.type == "vcpu" or .type == "ended"))) as $v |
	($truth | total(.runs)) as $runs |
	([.[] | select(.type == "vcpu")]) as $rows |
	([$truth[] | . as $t | .threads[] | select(.role == "vcpu") | {vm, ids: [$t.vm_pid, .vcpu, .tid]}]) as $threads |
	([$truth[] | select(.runs > 0)] | group_by(.vm_pid) | map([.[0].vm_pid, total(.runs)])) as $vms |
	([$v[].guest, $v[].host, (.[] | select(.type == "other") | .task, .kernel) | .save.pending] | add) as $pending |
	[ if $h.missed != 0 or $h.undecided != 0 then "missed" else empty end,
	  if $h.impossible != 0 then "a state was lost" else empty end,
	  if $pending != $h.pending then "pending \($pending), not \($h.pending)" else empty end,
	  if $v | any(.guest.save.redundant > .guest.save.done - .cause["user-return"]) then "a save at user-return was redundant" else empty end,
	  if $h.policy != "unknown" and ($h.policy | sub("-host"; "")) != $policy then "policy \($h.policy)" else empty end,
	  if $h.mode != $mode then "mode \($h.mode)" else empty end,
	  if $truth != [] and [$h.kernel, $h.cpus] != ($truth[0] | [.host_ver, .host_cpus]) then
		"kernel \($h.kernel), \($h.cpus) CPUs" else empty end,
	  # a VM that died said nothing
	  if ($truth | any(.runs > 0)) and ($v | total(.runs)) != $runs then "runs \($v | total(.runs)), not \($runs)" else empty end,
	  # a VM that was over before its name could be read has that of its process
	  if any($threads[]; . as $t | any($rows[]; [.vm_pid, .vcpu, .tid] == $t.ids and
		(.vm == $t.vm or .vm == "fpload")) | not) then "a thread has no row of its own" else empty end,
	  if $vms - [$rows | group_by(.vm_pid)[] | [.[0].vm_pid, total(.runs)]] != [] then "runs of another VM" else empty end,
	  if $truth != [] and $h.sve_vl != $truth[0].host_vl then "SVE is \($h.sve_vl), not \($truth[0].host_vl)" else empty end,
	  if $rows | any(. as $row | $truth[] | select(.runs > 0 and .vm_pid == $row.vm_pid) | (.guest_vl | size) as $size |
		$row.guest.save.bytes != $row.guest.save.done * $size or
		$row.guest.load.bytes != $row.guest.load.done * $size) then "bytes of a guest" else empty end,
	  if $v | any(([.cause[]] | add) != .guest.save.done) then "a guest save has no cause, or two" else empty end,
	  if ($v | total(.exits)) != $w.exits then "exits, not entries" else empty end,
	  if ($v | total(.guest_runs_live)) != $w.live then "live exits, not entries" else empty end,
	  if ($v | total(.guest_runs_live) + total(.guest.load.done)) != $w.binds then "live exits, not binds" else empty end,
	  if $w.switch_saves != $w.counted_switch_saves then "saves at switches" else empty end,
	  if $h.events["neon-softirq"] + $h.events["neon-task"] != $w.neon then "NEON sections" else empty end,
	  if $w.last_state_differs != 0 then "last state" else empty end
	] | join(", ")' "$1" || echo "no cross-checks: jq failed"
}
