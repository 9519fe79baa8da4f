#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: the counts stay exact, to the unit, where naive hooks are 5-28 % wrong:
# softirq NEON, signals, more vcpus than CPUs, virtual timers and WFI. On 6.1
# and 6.12 QEMU's log is the judge of all saves and loads together, and of those in
# the format of SVE; 7.3 inlines
# the routines, so there each live guest state must end in exactly one save,
# and the witnesses and the kernel's own records must agree.
#
# A load that fails by itself (a guest that hangs, a VM that dies: seen without
# fpstat as well, once in some hundred runs) is no fault of the counts: they are
# compared all the same, and then the test is skipped, with the reason.
#
# KERNELS=6.1 LOADS="neon-3 signals" narrow it down; FORMATS=3000 is longer where host
# threads use SVE, and has 5.10, too.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh
. tests/lab/counted.sh

logs=build/check/load

# NAME and arguments of fpload. Modes: 1 FP + 2 HVC + 4 MMIO + 8 timer and WFI.
loads="
neon-2 mix --mode 2 --neon 3000 -n 1500
neon-3 mix --mode 3 --neon 3000 -n 1500
neon-6 mix --mode 6 --neon 3000 -n 800
neon-7 mix --mode 7 --neon 3000 -n 1600
neon-wfi mix --vgic --mode 9,15 --neon 3000 -n 200
neon-task mix --mode 3,7 --neon 1000 --neon-task 1000 --bystanders 1 -n 500
signals mix --mode 2,3,6,7 --signals 500 -n 600
neon-signals mix --mode 3,7 --signals 500 --neon 3000 --neon-task 1000 -n 200
host-kernel mix --mode 3,7 --neon 10000 --bystanders 2 --host-signals --host-neon -n 1500
overcommit mix --vcpus 4 --mode 2,3,6,7 --bystanders 2 --neon 1000 -n 400
wfi mix --vgic --mode 8,9,15 -n 250
sve mix --sve --mode 3,7 --bystanders 1 -n 400
host-sve mix --vcpus 2 --mode 3,7 --host-sve --neon 1000 --bystanders 2 -n ${FORMATS:-200}
"

# A softirq at each of these instructions, of 6.1: before and after what a hook there
# announces, where it is not hooked itself.
strikes="
get_cpu_fpsimd_context+0x10 may_use_simd put_cpu_fpsimd_context fpsimd_save+12 kernel_neon_begin+12
fpsimd_preserve_current_state+12 fpsimd_update_current_state+12 fpsimd_flush_task_state+8
kvm_arch_vcpu_load_fp kvm_arch_vcpu_put_fp
"

selected() # KERNEL
{
	local name rest all=$loads

	[ "$1" != 6.1 ] || for name in $strikes; do
		all+="strike-${name%+*} mix --mode 3,7 --bystanders 1 --host-signals --host-neon --strike $name -n 1500
"
	done
	echo "$all" | while read -r name rest; do
		[ -n "$name" ] || continue
		case " ${LOADS:-$name} " in
		*" $name "*) echo "$name $rest" ;;
		esac
	done
}

# Of the vcpus of one VM, modes 2,3,6,7: every second one uses FP, and only these
# have guest operations.
to_its_own()
{
	jq -s -e --slurpfile truth "$2" '
	($truth | map(select(.vms > 0))[0].vm_pid) as $pid |
	map(select(.type == "vcpu" and .vm_pid == $pid)) |
	length == 4 and all((.guest.load.done > 0) == (.vcpu % 2 == 1)) and
	all((.guest.save.done > 0) == (.vcpu % 2 == 1))' "$1" >/dev/null
}

# judge DIR NAME LOG POLICY: sets row, and fits, whose status it has.
judge()
{
	local dir=$1 name=$2 log=$3 policy=$4 why= logged
	local gs gl hs hl all

	read -r gs gl hs hl all < <(counted "$dir/$name.json")
	logged=$(logged "$dir/$name.json" "$log")
	[ -z "$log" ] || [ "$logged" = "$all" ] || why="${why:-not the log}"
	[ "$gs" = "$gl" ] || why="${why:-not one save for each live state}"
	[ "$name" != overcommit ] || to_its_own "$dir/$name.json" "$dir/$name.truth" ||
		why="${why:-what one vcpu did stands with another one}"
	why="${why:-$(contradictions "$dir/$name.json" "$dir/$name.truth" "$policy" vhe)}"
	printf -v row '# %-36s %6s %6s %6s %6s | %6s %6s %6s %6s | %6s %6s %6s %6s | %s %s' \
		"$name" "$gs" "$gl" "$hs" "$hl" $all $logged \
		"$(jq -s 'map(.neon.softirq) | add' "$dir/$name.truth")" "$why"
	[ -z "$why" ] && fits=yes || fits=no
	[ $fits = yes ]
}

run()
{
	local kernel=$1 policy=eager log= dir=$logs/$1 name
	local options=(--kernel "$kernel" --timeout 1800)

	[ "$kernel" = 5.10 ] && policy=martin
	rm -rf "$dir"
	mkdir -p "$dir"
	if [ "$kernel" != 7.3 ]; then
		log=$dir/truth.log
		options+=(--truth "$log")
	fi
	selected "$kernel" >"$dir/list"
	count_each "$dir" "${options[@]}" >"$dir/output" 2>&1
	result "$kernel: the lab ran all loads" "$dir/output" || return
	echo "# $kernel, GS GL HS HL | all saves, loads, those of SVE: counted | log | softirq NEON sections"
	while read -r name _; do
		if judge "$dir" "$name" "$log" $policy && [ "$(cat "$dir/$name.status")" != 0 ]; then
			skip "$kernel: $name" "the load itself failed: $(tail -n 1 "$dir/$name.err")"
		else
			[ "$fits" = yes ]
			result "$kernel: $name"
		fi
		echo "$row" # behind its result, which it explains
	done <"$dir/list"
	rm -f "$log"
}

mkdir -p $logs
for kernel in ${KERNELS:-6.1 6.12 7.3}; do
	run "$kernel"
done
[ -z "${FORMATS+x}" ] || LOADS=host-sve run 5.10
plan
