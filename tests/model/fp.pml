/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules as invariants of a small kernel: two CPUs, a VMM thread with one vcpu, a
 * bystander, softirqs that use NEON. EAGER: vcpu_load() saves the host (2025), else it
 * stays live in KVM_RUN (4.18).
 *
 * Each I<n>() comes from the table of fpstat check (rules.pml is made of its list), and
 * is an assertion. FAULT leaves something out; then the rule that is there for it must
 * fail.
 *
 * A state is NONE, that of a task, or that of the vcpu. What the registers of a CPU hold
 * is regs[]; dirty[]: they are newer than memory. What the kernel writes down: last[]
 * (fpsimd_last_state), home[] (fpsimd_cpu), flag[] (TIF_FOREIGN_FPSTATE), owns.
 */
#include "rules.pml"

#ifndef FAULT
#define FAULT 0
#endif
#define SKIP_SAVE	(FAULT == 1)
#define SKIP_FLUSH	(FAULT == 2)
#define ADOPT		(FAULT == 3)
#define SKIP_PUT	(FAULT == 4)
#define SKIP_CTXSYNC	(FAULT == 5)
#define SKIP_CTXFLUSH	(FAULT == 6)
#define SKIP_LOAD_FP	(FAULT == 7)
#define SET_FLAG	(FAULT == 8)
#define OLD_EXEC	(FAULT == 9)
#define SKIP_PM		(FAULT == 10)

#define NONE	0
#define VMM	1
#define OTHER	2
#define VCPU	3
#define IDLE	4	/* has no state; its flag is always set */
#define NOWHERE	2

byte cur[2], last[2], regs[2];
bool dirty[4];		/* of a state, in the registers that hold it */
byte home[5] = NOWHERE;
bool flag[5] = true;
bool owns, loaded;

/* The registers of c get other contents. */
inline lose(c)
{
	I5(regs[c] == NONE || !dirty[regs[c]]);
	regs[c] = NONE
}

/* And those of x: what another CPU has of it is old from here on. */
inline fetch(c, x)
{
	lose(c);
	if
	:: regs[1 - c] == x -> lose(1 - c)
	:: else
	fi;
	regs[c] = x
}

inline save(c)
{
	if
	:: flag[cur[c]] || SKIP_SAVE
	:: else ->
		I6(last[c] != NONE && (last[c] == cur[c] || (last[c] == VCPU && loaded)));
		I6(last[c] == VCPU || home[last[c]] == c);
		dirty[last[c]] = false
	fi
}

inline flush(c)
{
	if
	:: SKIP_FLUSH
	:: else -> last[c] = NONE; flag[cur[c]] = true
	fi
}

inline bind(c, x)
{
	last[c] = x;
	home[x] = c;
	flag[cur[c]] = false
}

/* To user mode, and there it uses its registers. */
inline user(c)
{
	if
	:: flag[cur[c]] ->
		fetch(c, cur[c]);
		bind(c, cur[c])
	:: else
	fi;
	I1(regs[c] == cur[c]);
	dirty[cur[c]] = true
}

inline neon(c)
{
	save(c);
	flush(c);
	I21(flag[cur[c]] && last[c] == NONE);
	lose(c)
}

inline load_fp(c)
{
	if
	:: EAGER && !SKIP_LOAD_FP -> save(c); flush(c)
	:: else
	fi;
	owns = false
}

inline put_fp(c)
{
	if
	:: owns && !SKIP_PUT -> save(c); flush(c)
	:: else
	fi
}

/* Interrupts are off from the entry of the guest to its exit. */
inline enter(c, uses)
{
	if
	:: flag[VMM] && !SKIP_CTXFLUSH -> owns = false
	:: else
	fi;
	I8(!flag[VMM] || !owns);
	I8(flag[VMM] || last[c] == VCPU || last[c] == VMM);
	I9(!EAGER || flag[VMM] || last[c] == VCPU);
	if
	:: uses && !owns ->
		if
		:: !flag[VMM] && last[c] == VMM -> dirty[VMM] = false /* saved by the trap */
		:: else
		fi;
		fetch(c, VCPU);
		owns = true
	:: else
	fi;
	if
	:: uses -> I8(regs[c] == VCPU); dirty[VCPU] = true
	:: else
	fi;
	if
	:: owns && !SKIP_CTXSYNC -> I14(last[1 - c] != VCPU); bind(c, VCPU)
	:: else
	fi;
	I20(!owns || (last[c] == VCPU && !flag[VMM]))
}

inline switch_to(c, next)
{
	if
	:: cur[c] == VMM && loaded -> put_fp(c); I16(last[c] != VCPU)
	:: else
	fi;
	if
	:: SET_FLAG -> flag[cur[c]] = true
	:: else
	fi;
	save(c);
	cur[c] = next;
	if
	:: next == IDLE -> flag[IDLE] = true
	:: else ->
		flag[next] = (last[c] != next) || (home[next] != c && !ADOPT);
		I2(flag[next] || regs[c] == next)
	fi;
	if
	:: next == VMM && loaded -> load_fp(c)
	:: else
	fi
}

inline exec(c)
{
	if
	:: OLD_EXEC
	:: else -> home[cur[c]] = NOWHERE; flag[cur[c]] = true
	fi;
	I18(flag[cur[c]]);
	if
	:: regs[c] == cur[c] -> regs[c] = NONE
	:: else
	fi;
	dirty[cur[c]] = false
}

inline power(c)
{
	if
	:: SKIP_PM
	:: else -> save(c); last[c] = NONE
	fi;
	I3(last[c] == NONE);
	regs[c] = NONE
}

/* One step of CPU c; what is not possible now is left out. */
inline step(c)
{
	if
	:: cur[c] != IDLE && !(cur[c] == VMM && loaded) -> user(c)
	:: true -> neon(c)
	:: cur[c] == VMM && !loaded -> loaded = true; load_fp(c)
	:: cur[c] == VMM && loaded -> enter(c, true)
	:: cur[c] == VMM && loaded -> enter(c, false)
	:: cur[c] == VMM && loaded -> put_fp(c); I16(last[c] != VCPU); loaded = false; owns = false
	:: cur[c] != VMM && cur[1 - c] != VMM -> switch_to(c, VMM)
	:: cur[c] != OTHER && cur[1 - c] != OTHER -> switch_to(c, OTHER)
	:: cur[c] != IDLE -> switch_to(c, IDLE)
	:: cur[c] == OTHER -> exec(c)
	:: cur[c] == IDLE -> power(c)
	fi
}

init
{
	cur[0] = IDLE;
	cur[1] = IDLE;
	do
	:: atomic { step(0) }
	:: atomic { step(1) }
	od
}
