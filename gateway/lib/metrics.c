/*
 * metrics.c
 *		Metrics for Prometheus, in its text format 0.0.4; see metrics.h.
 *
 * The part of a process is a hash table; entries are added and never removed.  Only its
 * process writes to it.  A series is complete before "used" is set, and its numbers are
 * atomic, so that another process can print them while they change.
 */
#include "lib/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Upper bounds of a histogram's buckets, in microseconds and as Prometheus writes them. */
static const int64_t bounds_us[] = {1000,   2500,   5000,    10000,   25000,   50000,   100000,
									250000, 500000, 1000000, 2500000, 5000000, 10000000};
static const char *const bound_texts[] = {"0.001", "0.0025", "0.005", "0.01", "0.025",
										  "0.05",  "0.1",    "0.25",  "0.5",  "1",
										  "2.5",   "5",      "10"};

#define BUCKETS ((int) (sizeof(bounds_us) / sizeof(bounds_us[0])))

/* The hash table is never more than half full. */
#define SLOTS (2 * METRICS_SERIES_MAX)

typedef struct Series
{
	atomic_bool used;
	uint8_t label_bytes;
	uint16_t metric;
	char labels[METRICS_LABEL_BYTES_MAX]; /* the values, each with its NUL */
	_Atomic uint64_t value;               /* a counter, a gauge (signed), a histogram's count */
	_Atomic uint64_t sum_us;
	_Atomic uint64_t buckets[BUCKETS];
} Series;

typedef struct Part
{
	Series series[SLOTS];
	int count;
	_Atomic uint64_t dropped;
} Part;

struct Metrics
{
	const MetricDefinition *definitions;
	int count;
	int processes;
	Part *parts; /* shared */
	Part *own;
};

Metrics *
metrics_open(const MetricDefinition *definitions, int count, int processes)
{
	Metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics == NULL)
		return NULL;
	*metrics = (Metrics){.definitions = definitions, .count = count, .processes = processes};
	metrics->parts = mmap(NULL, (size_t) processes * sizeof(Part), PROT_READ | PROT_WRITE,
						  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (metrics->parts == MAP_FAILED)
	{
		free(metrics);
		return NULL;
	}
	metrics->own = metrics->parts;
	return metrics;
}

void
metrics_close(Metrics *metrics)
{
	if (metrics == NULL)
		return;
	munmap(metrics->parts, (size_t) metrics->processes * sizeof(Part));
	free(metrics);
}

void
metrics_enter(Metrics *metrics, int process)
{
	if (metrics == NULL || process >= metrics->processes)
		return;
	metrics->own = &metrics->parts[process];
	for (int i = 0; i < SLOTS; i++)
	{
		Series *series = &metrics->own->series[i];

		if (atomic_load(&series->used) && metrics->definitions[series->metric].kind == METRIC_GAUGE)
			atomic_store(&series->value, 0);
	}
}

/* ---- finding a series ---- */

/* Copies the values one after the other, each with its NUL; false when they are too long. */
static bool
pack_labels(MetricLabels labels, char out[METRICS_LABEL_BYTES_MAX], size_t *len)
{
	*len = 0;
	for (int i = 0; labels != NULL && i < METRICS_LABELS_MAX && labels[i] != NULL; i++)
	{
		size_t bytes = strlen(labels[i]) + 1;

		if (*len + bytes > METRICS_LABEL_BYTES_MAX)
			return false;
		memcpy(out + *len, labels[i], bytes);
		*len += bytes;
	}
	return true;
}

/* FNV-1a is enough: the values come from our own tables, so no client can make them collide. */
static uint32_t
hash_series(int metric, const char *labels, size_t len)
{
	uint32_t hash = 2166136261U ^ (uint32_t) metric;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) labels[i]) * 16777619U;
	return hash * 16777619U;
}

static bool
is_series(const Series *series, int metric, const char *labels, size_t len)
{
	return series->metric == metric && series->label_bytes == len &&
		   memcmp(series->labels, labels, len) == 0;
}

/* Finds the series or makes it; NULL when it does not fit. */
static Series *
find_series(Metrics *metrics, int metric, MetricLabels labels)
{
	char packed[METRICS_LABEL_BYTES_MAX];
	size_t len;
	uint32_t at;
	Series *series;

	if (metrics == NULL)
		return NULL;
	if (!pack_labels(labels, packed, &len))
	{
		atomic_fetch_add_explicit(&metrics->own->dropped, 1, memory_order_relaxed);
		return NULL;
	}
	at = hash_series(metric, packed, len) % SLOTS;
	while ((series = &metrics->own->series[at])->used && !is_series(series, metric, packed, len))
		at = (at + 1) % SLOTS;
	if (series->used)
		return series;
	if (metrics->own->count == METRICS_SERIES_MAX)
	{
		atomic_fetch_add_explicit(&metrics->own->dropped, 1, memory_order_relaxed);
		return NULL;
	}
	metrics->own->count++;
	series->metric = (uint16_t) metric;
	series->label_bytes = (uint8_t) len;
	memcpy(series->labels, packed, len);
	atomic_store(&series->used, true);
	return series;
}

void
metrics_add(Metrics *metrics, int metric, MetricLabels labels, uint64_t amount)
{
	Series *series = find_series(metrics, metric, labels);

	if (series != NULL)
		atomic_fetch_add_explicit(&series->value, amount, memory_order_relaxed);
}

void
metrics_set(Metrics *metrics, int metric, MetricLabels labels, int64_t value)
{
	Series *series = find_series(metrics, metric, labels);

	if (series != NULL)
		atomic_store_explicit(&series->value, (uint64_t) value, memory_order_relaxed);
}

void
metrics_observe_us(Metrics *metrics, int metric, MetricLabels labels, int64_t us)
{
	Series *series = find_series(metrics, metric, labels);

	if (series == NULL)
		return;
	atomic_fetch_add_explicit(&series->value, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&series->sum_us, (uint64_t) us, memory_order_relaxed);
	for (int i = 0; i < BUCKETS; i++)
	{
		if (us <= bounds_us[i])
		{
			atomic_fetch_add_explicit(&series->buckets[i], 1, memory_order_relaxed);
			return;
		}
	}
}

/* ---- printing ---- */

/* The sums of one series over all processes. */
typedef struct Sum
{
	uint64_t value;
	uint64_t sum_us;
	uint64_t buckets[BUCKETS];
} Sum;

static const Series *
find_in_part(const Part *part, const Series *wanted)
{
	uint32_t at = hash_series(wanted->metric, wanted->labels, wanted->label_bytes) % SLOTS;
	const Series *series;

	while (atomic_load(&(series = &part->series[at])->used))
	{
		if (is_series(series, wanted->metric, wanted->labels, wanted->label_bytes))
			return series;
		at = (at + 1) % SLOTS;
	}
	return NULL;
}

static Sum
add_up(const Metrics *metrics, const Series *wanted, int first)
{
	Sum sum = {0};

	for (int i = first; i < metrics->processes; i++)
	{
		const Series *series = find_in_part(&metrics->parts[i], wanted);

		if (series == NULL)
			continue;
		sum.value += atomic_load(&series->value);
		sum.sum_us += atomic_load(&series->sum_us);
		for (int j = 0; j < BUCKETS; j++)
			sum.buckets[j] += atomic_load(&series->buckets[j]);
	}
	return sum;
}

/* Appends the value of a label; the format escapes three characters. */
static void
print_escaped(Buffer *out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '\n')
			buffer_append_text(out, "\\n");
		else
		{
			if (*text == '\\' || *text == '"')
				buffer_append_char(out, '\\');
			buffer_append_char(out, *text);
		}
	}
}

/* Appends "name_suffix{label="value",le="0.1"} "; bound is the value of le, or NULL. */
static void
print_name(const Metrics *metrics, Buffer *out, const Series *series, const char *suffix,
		   const char *bound)
{
	const MetricDefinition *definition = &metrics->definitions[series->metric];
	const char *separator = "{";
	const char *value = series->labels;

	buffer_append_text(out, definition->name);
	buffer_append_text(out, suffix);
	for (int i = 0; definition->labels[i] != NULL && value < series->labels + series->label_bytes;
		 i++, value += strlen(value) + 1, separator = ",")
	{
		buffer_printf(out, "%s%s=\"", separator, definition->labels[i]);
		print_escaped(out, value);
		buffer_append_char(out, '"');
	}
	if (bound != NULL)
	{
		buffer_printf(out, "%sle=\"%s\"", separator, bound);
		separator = ",";
	}
	buffer_append_text(out, separator[0] == '{' ? " " : "} ");
}

static void
print_number(const Metrics *metrics, Buffer *out, const Series *series, const char *suffix,
			 const char *bound, uint64_t number)
{
	print_name(metrics, out, series, suffix, bound);
	buffer_append_int64(out, (int64_t) number);
	buffer_append_char(out, '\n');
}

static void
print_histogram(const Metrics *metrics, Buffer *out, const Series *series, const Sum *sum)
{
	uint64_t below = 0;

	for (int i = 0; i < BUCKETS; i++)
	{
		below += sum->buckets[i];
		print_number(metrics, out, series, "_bucket", bound_texts[i], below);
	}
	/* The count must not be less than the buckets, even if it was read earlier than they were. */
	below = sum->value > below ? sum->value : below;
	print_number(metrics, out, series, "_bucket", "+Inf", below);
	print_name(metrics, out, series, "_sum", NULL);
	buffer_printf(out, "%.6f\n", (double) sum->sum_us / 1e6);
	print_number(metrics, out, series, "_count", NULL, below);
}

/* Whether no process with a lower number has the series. */
static bool
is_first(const Metrics *metrics, const Series *series, int process)
{
	for (int i = 0; i < process; i++)
		if (find_in_part(&metrics->parts[i], series) != NULL)
			return false;
	return true;
}

static void
print_metric(const Metrics *metrics, Buffer *out, int metric)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	const MetricDefinition *definition = &metrics->definitions[metric];

	buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", definition->name, definition->help,
				  definition->name, kinds[definition->kind]);
	for (int i = 0; i < metrics->processes; i++)
	{
		for (int j = 0; j < SLOTS; j++)
		{
			const Series *series = &metrics->parts[i].series[j];
			Sum sum;

			if (!atomic_load(&series->used) || series->metric != metric ||
				!is_first(metrics, series, i))
				continue;
			sum = add_up(metrics, series, i);
			if (definition->kind == METRIC_HISTOGRAM)
				print_histogram(metrics, out, series, &sum);
			else
				print_number(metrics, out, series, "", NULL, sum.value);
		}
	}
}

bool
metrics_print(const Metrics *metrics, Buffer *out)
{
	uint64_t dropped = 0;

	for (int i = 0; i < metrics->count; i++)
		print_metric(metrics, out, i);
	for (int i = 0; i < metrics->processes; i++)
		dropped += atomic_load(&metrics->parts[i].dropped);
	buffer_append_text(out, "# HELP wa_metrics_dropped_total writes to series beyond the bound\n"
							"# TYPE wa_metrics_dropped_total counter\nwa_metrics_dropped_total ");
	buffer_append_int64(out, (int64_t) dropped);
	buffer_append_char(out, '\n');
	return !out->failed;
}
