#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: everything compiles without a warning, with both compilers, for both
# machines, and the arm64 program is one file that needs nothing.
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

n=0
result()
{
	local status=$?

	n=$((n + 1))
	[ $status -eq 0 ] && echo "ok $n - $1" || echo "not ok $n - $1"
}
build() { make -j"$(nproc)" "$@" 2>&1 | sed 's/^/# /'; return "${PIPESTATUS[0]}"; }

build;						result "gcc, this machine"
build unit benches;				result "gcc, unit tests with sanitizers, benches"
build ARCH=arm64 STATIC=1 all lab-programs;	result "gcc, arm64, static"
build CC=clang BUILD=build/clang;		result "clang, this machine"
build CC=clang BUILD=build/clang ARCH=arm64;	result "clang, arm64"
build -C tests/lab/workloads;			result "lab workloads, arm64"
build -C tests/lab/workloads modules;		result "kernel module for each lab kernel"

[ "$(od -An -tu2 -j18 -N2 build/arm64/fpstat | tr -d ' ')" = 183 ]
result "build/arm64/fpstat is an arm64 program"
grep -qa '/lib/ld-linux' build/arm64/fpstat; [ $? -eq 1 ]
result "build/arm64/fpstat is static"
echo "1..$n"
