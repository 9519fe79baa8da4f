// SPDX-License-Identifier: GPL-2.0-only
/* The metadata of a CTF trace, in its own language, TSDL. */
#include "export_ctf.h"

#include <inttypes.h>
#include <linux/types.h>

#include "export.h"
#include "fpstat/event.h"
#include "snapshot.h"
#include "trace.h"
#include "version.h"

#define NS 1000000000

static const char types[] =
	"/* CTF 1.8 */\n\n"
	"typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
	"typealias integer { size = 32; align = 8; signed = true; } := s32;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = hex; "
	"} := x64;\n\n"
	"trace {\n"
	"\tmajor = 1;\n"
	"\tminor = 8;\n"
	"\tbyte_order = le;\n"
	"\tpacket.header := struct { u32 magic; u32 stream_id; };\n"
	"};\n\n";

/* Names of hosts and kernels are cleaned, but may have these. */
static void text(FILE *out, const char *key, const char *value)
{
	fprintf(out, "\t%s = \"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputs("\";\n", out);
}

/* The policy is known to counters only. */
static void environment(const struct export *x, FILE *out)
{
	const struct snapshot *s = trace__host(x->trace);
	const struct snapshot *after = trace__after(x->trace);

	fputs("env {\n", out);
	text(out, "domain", "kernel");
	text(out, "tracer_name", "fpstat");
	text(out, "tracer_version", FPSTAT_VERSION);
	text(out, "hostname", trace__about(x->trace)->host);
	text(out, "command", trace__about(x->trace)->command);
	text(out, "kernel_release", s->kernel);
	text(out, "mode", s->mode);
	text(out, "policy",
	     snap_policy__name(after ? after->policy : SNAP_POLICY_UNKNOWN));
	fprintf(out, "\tcpus = %" PRIu32 ";\n\tsve_vl = %" PRIu32 ";\n};\n\n",
		s->cpus, s->sve_vl);
}

/* Where it stood in 1970. Seconds are rounded down: the rest is not negative. */
static void clock_of(const struct export *x, FILE *out)
{
	const struct trace_about *a = trace__about(x->trace);
	int64_t offset = (int64_t)(a->realtime - a->monotonic);
	int64_t rest = (offset % NS + NS) % NS;

	fputs("clock {\n\tname = monotonic;\n\tfreq = 1000000000;\n", out);
	if (a->realtime)
		fprintf(out,
			"\toffset_s = %" PRId64 ";\n\toffset = %" PRId64
			";\n\tabsolute = true;\n",
			(offset - rest) / NS, rest);
	fputs("};\n\n"
	      "typealias integer { size = 64; align = 8; signed = false; "
	      "map = clock.monotonic.value; } := when;\n",
	      out);
}

static void causes(FILE *out)
{
	int i;

	fputs("typealias enum : u8 {", out);
	for (i = 0; i < FP_CAUSE_MAX; i++)
		fprintf(out, " \"%s\" = %d,", snap_cause__name(i), i);
	fprintf(out, " \"none\" = %d } := why;\n\n", CTF_NO_CAUSE);
}

#define FIELD(bytes, type, name, value) fputs("\t\t" type " " name ";\n", out);

static void stream(FILE *out)
{
	fputs("stream {\n\tid = 0;\n"
	      "\tevent.header := struct { u8 id; when timestamp; };\n"
	      "\tpacket.context := struct {\n",
	      out);
	CTF_CONTEXT(FIELD)
	fputs("\t};\n};\n\n", out);
}

static void events(FILE *out)
{
	unsigned int kind;

	for (kind = 0; kind < FP_EV_MAX; kind++) {
		fprintf(out, "event {\n\tid = %u;\n\tstream_id = 0;\n", kind);
		text(out, "name", snap_event__name(kind));
		fputs("\tfields := struct {\n", out);
		CTF_FIELDS(FIELD)
		fputs("\t};\n};\n\n", out);
	}
}

void export_ctf__metadata(const struct export *x, FILE *out)
{
	fputs(types, out);
	environment(x, out);
	clock_of(x, out);
	causes(out);
	stream(out);
	events(out);
}
