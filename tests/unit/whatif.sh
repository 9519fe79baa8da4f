#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat whatif as a user calls it, on a stream that was made by hand. After a
# change that is meant, write the golden files anew with FPSTAT_GOLDEN=write and
# read the difference.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
golden=tests/unit/golden

# whatif CODE SCENE ARG...
whatif() { run "$1" "$2" whatif "${@:3}"; }
says() { local what=$1; shift; whatif "$@" && err "$what"; }

# as FILE: the output is what it was
as()
{
	[ "${FPSTAT_GOLDEN:-}" != write ] || cp "$tmp/out" "$golden/$1"
	diff "$golden/$1" "$tmp/out"
}
narrow() { ! grep '.\{81\}' "$tmp/out"; }
table() # FILE SCENE ARG...: nothing but that, within 80 columns
{
	local file=$1 scene=$2
	shift 2
	whatif 0 "$scene" "$@" -- true && silent && narrow && as "$file"
}

# text
some="uncond,defensive,martin-rfc,martin,eager-host"
is "a table"           table whatif.txt stream --policy $some
is "one for each vcpu" table whatif-vcpus.txt stream --policy $some -v
is "a host with SVE"   table whatif-sve.txt stream-sve
is "protected KVM"     table whatif-pkvm.txt pkvm
is "no time measured"  table whatif-x86.txt stream-x86 --policy martin
unsafe()
{
	whatif 0 stream -- true && narrow &&
	[ "$(sed -n 3,4p "$tmp/out")" = "! dall is unsafe: 2 states lost
block-neon would refuse NEON 2 times" ] && out '^dall ! '
}
is "what is unsafe comes first" unsafe
wide() { whatif 0 stream-long -- true && narrow && out '^defensive .* 600-3200 1.0-6.1M '; }
is "larger numbers fit, too" wide

# a parameter
is "keep for T"       table sweep-keep.txt stream-away --strict --sweep keep --policy martin,keep=1ms
is "flush after N"    table sweep-flush.txt stream --sweep flush-after
is "a curve for each vcpu" table sweep-vcpus.txt stream-away --sweep keep -v
is "a curve, protected KVM" table sweep-pkvm.txt pkvm --sweep keep
selected()
{
	whatif 0 stream --policy flush-after=8,keep=50us,martin,flush-after=inf,keep=50us -- true && narrow &&
	[ "$(sed -n 's/^\([a-z][a-z=0-9-]*\) .*ns$/\1/p' "$tmp/out" | xargs)" = \
		"this needed martin flush-after=8 keep=50us flush-after=inf" ] || { cat "$tmp/out"; false; }
}
is "selected values, none twice" selected
ends()
{
	whatif 0 stream --policy martin,flush-after=inf,keep=0 -- true &&
	[ "$(sed -n '/^\(martin\|flush-after=inf\|keep=0\) /s/^[^ ]* *//p' "$tmp/out" | uniq | wc -l)" = 1 ]
}
is "their ends are martin" ends
apart() { whatif 0 stream --sweep keep -- true && ! out '^martin' && out '^this kernel ' && out '^inf '; }
is "a curve stands beside this kernel" apart

# JSON
curve()
{
	whatif 0 stream-away --json --sweep keep --policy keep=1ms,martin -- true && silent &&
	all '[.[] | select(.type == "sweep")] | length == 84 and
	     all(.[]; .name == "keep" and .unsafe == [0, 0]) and
	     (map(del(.vm, .vm_pid, .vcpu) | keys) | unique | length == 1) and
	     (map(select(has("vm") | not)) |
	      (map(.value) | .[0] == 0 and .[1] == 1000 and .[19] == 1000000000 and
	       .[20] == null and length == 21) and
	      ([.[0, 5, 6, 11, 12, 20].load[0]] == [14, 14, 12, 12, 10, 10]) and
	      ([.[0, 20].diff] == [{ save: [-2, -2], load: [-2, -2] },
				   { save: [-2, -2], load: [-6, -6] }]))' &&
	all '[.[] | select(.type == "policy" and (has("vm") | not))] |
	     map(.name) == ["kernel", "oracle", "martin", "keep=1ms"]' &&
	all '(.[] | select(.type == "policy" and .name == "keep=1ms" and .vcpu == null)) as $p |
	     .[] | select(.type == "sweep" and .value == 1000000 and .vcpu == null) |
	     del(.type, .name, .value, .diff) == ($p | del(.type, .name))'
}
is "a curve" curve
exits()
{
	whatif 0 stream --json --sweep flush-after -- true &&
	all '[.[] | select(.type == "sweep" and .vm == "alpha" and .vcpu == 0)] |
	     map(.value) == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, null] and
	     .[0].guest == { save: [4, 30], load: [4, 30] }'
}
is "a curve of exits" exits
hidden()
{
	whatif 0 pkvm --json --sweep keep --policy keep=1ms -- true &&
	all '[.[] | select(.type == "sweep" or .name == "keep=1ms")] |
	     length > 0 and all(.[]; .save == null and .guest == null and
		.bytes == null and .diff == null)'
}
is "a curve of what is hidden: null" hidden
no_curve() { whatif 0 stream --json -- true && ! out '"sweep"'; }
is "no curve that was not asked for" no_curve
records()
{
	whatif 0 stream --json --policy $some -- true && silent &&
	sed -i '/"type":"\(cost\|policy\)"/!d' "$tmp/out" && as whatif.json
}
is "records" records
keys()
{
	whatif 0 stream --json -- true &&
	all '[.[] | select(.type == "policy")] | length == 27 and
	     (map(del(.vm, .vm_pid, .vcpu) | keys) | unique | length == 1) and
	     (map(select(has("vm") | not).name) == ["kernel", "oracle", "uncond",
	      "defensive", "martin-rfc", "dall", "block-neon", "martin",
	      "eager-host"])'
}
is "the same keys everywhere" keys
adds_up()
{
	whatif 0 stream-sve --json -- true &&
	all '[.[] | select(.type == "policy")] | group_by(.name) | length == 9 and
	     all(.[]; length == 3 and
		 ([.[0], .[1], .[2]] | map(select(has("vm"))) as $one |
		  map(select(has("vm") | not))[0] as $all |
		  ("save", "load", "bytes", "irqoff", "ns_hot", "ns_cold") |
		  . as $k | $all[$k] == null or
		  ([0, 1] | all(. as $i | ([$one[][$k][$i]] | add) as $sum |
			$all[$k][$i] - $sum | fabs <= 1))))'
}
is "vcpus add up, SVE or not" adds_up
kernel()
{
	whatif 0 stream --json -- true &&
	all '[.[] | select(.vm == "alpha" and .vcpu == 0)] |
	     (.[] | select(.type == "vcpu")) as $v |
	     (.[] | select(.name == "kernel")) as $k |
	     (.[] | select(.name == "oracle")) as $o |
	     $k.guest.save == [$v.guest.save.done, $v.guest.save.done] and
	     $k.host.load == [$v.host.load.done, $v.host.load.done] and
	     $k.irqoff == null and $k.unsafe == [0, 0] and
	     $o.save[0] == $v.oracle.save and $o.load[0] == $v.oracle.load'
}
is "kernel and oracle are those of the vcpu" kernel
interval()
{
	whatif 0 two --json -- true &&
	all '[.[] | select(.vm == "alpha" and .vcpu == 1)] |
	     (.[] | select(.type == "vcpu").guest.save) as $s |
	     .[] | select(.name == "oracle").guest.save |
	     $s.pending == 1 and . == [$s.needed, $s.needed + 1]'
}
is "the oracle's interval" interval
protected()
{
	whatif 0 pkvm --json -- true && silent &&
	all '[.[] | select(.type == "policy")] |
	     all(.[]; .guest == null and .save == null and .ns_hot == null and
		 .bytes == null) and
	     all(.[] | select(.name == "kernel"); .host.save[0] > 0) and
	     all(.[] | select(.name == "martin"); .host == null and
		 .unsafe == null)' &&
	all '[.[] | select(.type == "vcpu").avoided] | all(. == null)'
}
is "protected: null, never 0" protected
no_time()
{
	whatif 0 stream-x86 --json -- true &&
	all '[.[] | select(.type == "policy")] | all(.ns_hot == null and
	     .ns_cold == null)' &&
	all '.[] | select(.type == "cost") | .hot == null and .cold == null and
	     (.why | test("arm64"))'
}
is "no time: null, and why" no_time
avoided()
{
	whatif 0 stream --json -- true &&
	all '[.[] | select(.type == "vcpu").avoided] ==
	     [{ ref: "defensive", save: [4, 56], load: [4, 56] },
	      { ref: "defensive", save: [-2, -2], load: [-2, -2] }]'
}
is "avoided" avoided

decisions()
{
	whatif 0 stream --json -- true &&
	all '[.[] | select(.type == "decision")] |
	     (map(.nothing + .user + .guest) | add) == 29 and
	     (map(.open) | add) == 5 and all(.[]; .wrong == 0) and
	     (.[] | select(.event == "save") | [.nothing, .user, .guest]) == [0, 6, 4]' &&
	all '[.[] | select(.type == "wrong")] == []'
}
is "decisions" decisions

# options
list() { whatif 0 stream --policy martin,dall -- true &&
	[ "$(sed -n 's/^\([a-z][a-z-]*\) .*[0-9]ns$/\1/p' "$tmp/out" | xargs)" = "this needed dall martin" ] ||
	{ cat "$tmp/out"; false; }; }
is "some policies" list
none() { says "there is no policy 'oracle'" 2 stream --policy martin,oracle -- true &&
	err '^  eager-host ' && err -- '--policy LIST' && [ ! -s "$tmp/out" ]; }
is "no such policy" none
is "no name" says "there is no policy ''" 2 stream --policy martin, -- true
is "a long name" says 'there is no policy' 2 stream --policy "$(printf '%040d' 0)" -- true
# wrong TEXT ARG...: it is the user's mistake, and nothing was printed
wrong() { local what=$1; shift; says "$what" 2 stream "$@" -- true && [ ! -s "$tmp/out" ]; }
for bad in x -1 1.5 1us 1000000001 99999999999999999999 ''; do
	is "flush-after=$bad" wrong "'flush-after=$bad': N is a number of exits .*, or inf" --policy "martin,flush-after=$bad"
done
for bad in 5 us 5min -5us 1.5ms 5000000000s INF ''; do
	is "keep=$bad" wrong "'keep=$bad': T is 0, a time such as .*, or inf" --policy "keep=$bad,martin"
done
is "a parameter without a value" wrong "'keep': T is" --policy martin,keep
is "a value without a parameter" wrong "there is no policy 'martin=3'" --policy dall,martin=3
is "a parameter without a name" wrong "there is no policy '=3'" --policy =3,keep=0
is "no such parameter" wrong "there is no parameter 'kep': it is flush-after or keep" --sweep kep
is "a policy without one" wrong "there is no parameter 'martin'" --sweep martin
is "a sweep of a value" wrong "there is no parameter 'keep=3us'" --sweep keep=3us
is "a sweep of nothing" wrong "there is no parameter ''" --sweep ""
is "too many values" wrong "more than 32 parameters" --policy "$(seq -s, -f 'flush-after=%g' 33)"
most() { whatif 0 stream --policy "$(seq -s, -f 'flush-after=%g' 32)" --sweep keep -- true && out '^flush-after=32 ' && out '^inf '; }
is "as many as there may be" most
is "operand" says 'after --' 2 stream sleep 1
apart() { whatif 0 stream -o "$tmp/rec" -- echo mine && [ "$(cat "$tmp/out")" = mine ] &&
	grep -q '^needed ' "$tmp/rec"; }
is "output apart" apart
is "output nowhere" says 'cannot write' 3 stream -o /nonexistent/x -- true
is "status 7" whatif 7 stream -- sh -c 'exit 7'
is "killed" whatif 143 stream -- sh -c 'kill $$'
is "not found" says 'cannot run' 127 stream -- /nonexistent
is "no capture" says 'without KVM' 3 impossible -- true

# loss
is "a record is missing" says 'cannot be, the first is number 7 (CPU 0, .*a state was lost.* is n/a' \
	0 stream-unlike -- true
missing() { whatif 0 stream-unlike --json -- true &&
	all '[.[] | select(.type == "policy" and .vm == null)] | length == 9 and
	     (.[:2] | all(.[]; .save != null)) and (.[2:] | all(.[]; .save == null))'; }
is "a record is missing: policies are n/a" missing
is "strict: a record is missing" says 'is n/a' 4 stream-unlike --strict -- true
once() { says '2 records of the stream were lost.* are wider' 0 stream-gap -- true &&
	[ "$(wc -l <"$tmp/err")" -eq 1 ] && out ' in 3.0 s$'; }
is "records were lost" once
# What whatif says of the same two turns when nothing is lost is known to be true.
holds()
{
	whatif 0 stream --json -v -- true && silent && mv "$tmp/out" "$tmp/true" &&
	whatif 0 stream-gap --json -v -- true && jq -s -e --slurpfile true "$tmp/true" '
		def rows: map(select(.type == "policy" and .name != "kernel" and .name != "oracle"));
		def within($a): .[0] <= $a[0] and $a[1] <= .[1];
		[rows, ($true | rows)] | transpose | length == 21 and all(.[];
			.[0].name == .[1].name and .[0].vcpu == .[1].vcpu and
			(.[1] as $t | .[0] | (.guest.save | within($t.guest.save)) and
			 (.guest.load | within($t.guest.load)) and (.host.save | within($t.host.save)) and
			 (.host.load | within($t.host.load)) and (.unsafe | within($t.unsafe)) and
			 (.refused | within($t.refused))))' "$tmp/out" >/dev/null
}
is "records were lost: intervals hold what is true" holds
is "strict: records were lost" says 'data was lost: lost 1' 4 stream-gap --strict -- true
well() { whatif 0 stream --strict -- true && silent; }
is "strict, all well" well
is "strict, and the command failed" whatif 7 stream --strict -- sh -c 'exit 7'

# signals
sets() { grep -c '"type":"host"' "$tmp/out"; }
until_sets() # N
{
	local i

	for i in $(seq 100); do
		[ "$(sets)" -lt "$1" ] || return 0
		sleep 0.1
	done
	echo "no set $1 in $i tries"
	return 1
}
background() # SIGNAL...: one after the other, each when the last one was answered
{
	local pid sig code i=0

	: >"$tmp/out"
	FPSTAT_FAKE=stream "$fpstat" whatif --json >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	sleep 0.7
	for sig; do
		i=$((i + 1))
		kill "-$sig" $pid
		until_sets $i || { kill $pid; return 1; }
	done
	wait $pid
	code=$?
	[ $code -eq 0 ] && silent
}
stopped() { background INT && [ "$(sets)" -eq 1 ]; }
is "SIGINT: a last set" stopped
cumulative()
{
	background USR1 USR1 INT &&
	all '[.[] | select(.type == "host").t] == [3, 5, 7]' &&
	all '[.[] | select(.type == "policy" and (has("vm") | not) and
	      .name == "martin") | .guest.save, .guest.load, .host.save] |
	     map(unique) == [[4], [4], [2], [6], [6], [3], [8], [8], [4]]' &&
	all '[.[] | select(.type == "policy" and (has("vm") | not) and
	      .name == "kernel").save] == [[8, 8], [12, 12], [16, 16]]'
}
is "SIGUSR1 twice: all up to then" cumulative
echo "1..$n"
