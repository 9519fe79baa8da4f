# SPDX-License-Identifier: GPL-2.0-only
# For tests of what fpstat export makes for Perfetto.

# counters_add_up EXPORT REPORT: they end with the sums of fpstat report --json
counters_add_up()
{
	diff <(jq -S '[.traceEvents[] | select(.ph == "C") | {(.name): .args}] | add' "$1") \
		<(jq -s -S '
			def of(t): map(select(.type == t));
			def ops(f): { saves: map(f.save.done) | add, loads: map(f.load.done) | add,
				"redundant saves": map(f.save.redundant) | add,
				"redundant loads": map(f.load.redundant) | add };
			{ guest: (of("vcpu") | ops(.guest) + { exits: map(.exits) | add,
				"live entries": map(.guest_runs_live) | add }),
			  host: of("vcpu") | ops(.host),
			  other: of("other") | map(.task, .kernel) | ops(.) }' "$2")
}

# processor_agrees EXPORT: what Perfetto's trace processor has loaded, with the names of
# tracks, is what was written, and it is content with all of it. Without one, nothing is
# tested. (Those before v51 cut a ns off some durations.)
processor_agrees()
{
	local processor sql

	processor=$(command -v trace_processor_shell || command -v trace_processor) || return 0
	sql=$(mktemp) || return
	cat >"$sql" <<-'END'
		select printf('slice %d %d %s/%s/%s', s.ts, s.dur, p.name, t.name, s.name) as line
		from slice s join thread_track k on s.track_id = k.id
			join thread t using (utid) join process p using (upid)
		union all
		select printf('counter %d %d %s/%s', c.ts, c.value, p.name, k.name)
		from counter c join process_counter_track k on c.track_id = k.id
			join process p using (upid)
		union all
		select printf('%s %s %d', severity, name, value)
		from stats where value > 0 and severity in ('error', 'data_loss')
	END
	diff <(jq -r '.traceEvents as $all |
			def names(what; key): reduce ($all[] | select(.name == what)) as $e
				({}; .[$e | key | tostring] = $e.args.name);
			def ns: . * 1000 | round;
			names("process_name"; .pid) as $group | names("thread_name"; .tid) as $track |
			$all[] | select(.ph != "M") | $group[.pid | tostring] as $in |
			if .ph == "C"
			then (.args | to_entries[]) as $a | "counter \(.ts | ns) \($a.value) \($in)/\(.name) \($a.key)"
			else "slice \(.ts | ns) \(.dur // 0 | ns) \($in)/\($track[.tid | tostring])/\(.name)" end
			' "$1" | sort) \
		<("$processor" -q "$sql" "$1" 2>"$sql.said" | sed '1d; s/^"\(.*\)"$/\1/' | sort) ||
		{ cat "$sql.said"; false; }
	set -- $?
	rm -f "$sql" "$sql.said"
	return "$1"
}
