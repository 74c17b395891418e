/*
 * test_metrics.c
 *		What Prometheus reads, also when several processes have counted.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/metrics.h"
#include "tests/unit/suite.h"

enum
{
	REQUESTS,
	QUEUE,
	DURATION,
	METRICS
};

static const MetricDefinition definitions[METRICS] = {
	[REQUESTS] = {"t_requests_total", "requests", METRIC_COUNTER, {"route", "status"}},
	[QUEUE] = {"t_queue", "waiting", METRIC_GAUGE, {NULL}},
	[DURATION] = {"t_seconds", "durations", METRIC_HISTOGRAM, {"route"}},
};

static Metrics *
new_metrics(int processes)
{
	Metrics *metrics = metrics_open(definitions, METRICS, processes);

	ck_assert_ptr_nonnull(metrics);
	return metrics;
}

static Buffer
print(const Metrics *metrics)
{
	Buffer out;

	buffer_init(&out, METRICS_PRINT_MAX);
	ck_assert(metrics_print(metrics, &out));
	return out;
}

/* A whole line of the output. */
static bool
has_line(const Metrics *metrics, const char *line)
{
	Buffer out = print(metrics);
	size_t len = strlen(line);
	bool found = false;

	for (const char *at = out.data; !found && (at = strstr(at, line)) != NULL; at += len)
		found = at[len] == '\n' && (at == out.data || at[-1] == '\n');
	buffer_free(&out);
	return found;
}

START_TEST(a_counter_counts_by_its_labels)
{
	Metrics *metrics = new_metrics(1);

	metrics_add(metrics, REQUESTS, (const char *[]){"/a", "200", NULL}, 1);
	metrics_add(metrics, REQUESTS, (const char *[]){"/a", "200", NULL}, 2);
	metrics_add(metrics, REQUESTS, (const char *[]){"/a", "404", NULL}, 1);
	ck_assert(has_line(metrics, "# TYPE t_requests_total counter"));
	ck_assert(has_line(metrics, "# HELP t_requests_total requests"));
	ck_assert(has_line(metrics, "t_requests_total{route=\"/a\",status=\"200\"} 3"));
	ck_assert(has_line(metrics, "t_requests_total{route=\"/a\",status=\"404\"} 1"));
	metrics_close(metrics);
}
END_TEST

START_TEST(a_gauge_has_its_last_value)
{
	Metrics *metrics = new_metrics(1);

	metrics_set(metrics, QUEUE, NULL, 7);
	metrics_set(metrics, QUEUE, NULL, -2);
	ck_assert(has_line(metrics, "t_queue -2"));
	metrics_close(metrics);
}
END_TEST

START_TEST(a_histogram_counts_up_to_each_bound)
{
	Metrics *metrics = new_metrics(1);
	MetricLabels labels = (const char *[]){"/a", NULL};

	metrics_observe_us(metrics, DURATION, labels, 1000);
	metrics_observe_us(metrics, DURATION, labels, 1001);
	metrics_observe_us(metrics, DURATION, labels, 20000000);
	ck_assert(has_line(metrics, "t_seconds_bucket{route=\"/a\",le=\"0.001\"} 1"));
	ck_assert(has_line(metrics, "t_seconds_bucket{route=\"/a\",le=\"0.0025\"} 2"));
	ck_assert(has_line(metrics, "t_seconds_bucket{route=\"/a\",le=\"10\"} 2"));
	ck_assert(has_line(metrics, "t_seconds_bucket{route=\"/a\",le=\"+Inf\"} 3"));
	ck_assert(has_line(metrics, "t_seconds_sum{route=\"/a\"} 20.002001"));
	ck_assert(has_line(metrics, "t_seconds_count{route=\"/a\"} 3"));
	metrics_close(metrics);
}
END_TEST

START_TEST(values_of_labels_are_escaped)
{
	Metrics *metrics = new_metrics(1);

	metrics_add(metrics, REQUESTS, (const char *[]){"a\"b\\c\nd", "", NULL}, 1);
	ck_assert(has_line(metrics, "t_requests_total{route=\"a\\\"b\\\\c\\nd\",status=\"\"} 1"));
	metrics_close(metrics);
}
END_TEST

/* A process that ends and is started again keeps its counts and loses its gauges. */
START_TEST(processes_are_added_up)
{
	Metrics *metrics = new_metrics(3);

	for (int start = 0; start < 4; start++)
	{
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
		{
			metrics_enter(metrics, start % 2);
			metrics_add(metrics, REQUESTS, (const char *[]){"/a", "200", NULL}, 1);
			metrics_set(metrics, QUEUE, NULL, 5);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	}
	metrics_enter(metrics, 2);
	metrics_observe_us(metrics, DURATION, (const char *[]){"/a", NULL}, 1);
	ck_assert(has_line(metrics, "t_requests_total{route=\"/a\",status=\"200\"} 4"));
	ck_assert(has_line(metrics, "t_queue 10"));
	ck_assert(has_line(metrics, "t_seconds_count{route=\"/a\"} 1"));
	metrics_enter(metrics, 0);
	ck_assert(has_line(metrics, "t_queue 5"));
	metrics_close(metrics);
}
END_TEST

START_TEST(series_are_bounded)
{
	Metrics *metrics = new_metrics(1);
	char name[METRICS_LABEL_BYTES_MAX + 1];

	for (int i = 0; i < METRICS_SERIES_MAX + 3; i++)
	{
		snprintf(name, sizeof(name), "/%d", i);
		metrics_add(metrics, REQUESTS, (const char *[]){name, "200", NULL}, 1);
	}
	ck_assert(has_line(metrics, "wa_metrics_dropped_total 3"));
	metrics_add(metrics, REQUESTS, (const char *[]){"/0", "200", NULL}, 1);
	ck_assert(has_line(metrics, "t_requests_total{route=\"/0\",status=\"200\"} 2"));
	memset(name, 'a', sizeof(name));
	name[METRICS_LABEL_BYTES_MAX] = '\0';
	metrics_add(metrics, DURATION, (const char *[]){name, NULL}, 1);
	ck_assert(has_line(metrics, "wa_metrics_dropped_total 4"));
	metrics_close(metrics);
}
END_TEST

START_TEST(without_metrics_nothing_is_kept)
{
	metrics_enter(NULL, 0);
	metrics_add(NULL, REQUESTS, NULL, 1);
	metrics_set(NULL, QUEUE, NULL, 1);
	metrics_observe_us(NULL, DURATION, NULL, 1);
	metrics_close(NULL);
}
END_TEST

SUITE("metrics", a_counter_counts_by_its_labels, a_gauge_has_its_last_value,
	  a_histogram_counts_up_to_each_bound, values_of_labels_are_escaped, processes_are_added_up,
	  series_are_bounded, without_metrics_nothing_is_kept)
