#include "base/file.h"
#include "base/own.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sealift-file.XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	(void)umask(022);
}

/* Removes what a test leaves; every name that a test uses is listed. */
static void leave(void)
{
	static const char *const names[] = {"a", "a.partial", "b", "link"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	cr_expect_eq(chdir("/"), 0);
	cr_expect_eq(rmdir(folder), 0, "%s is not empty: a temporary file stayed", folder);
}

TestSuite(file, .init = enter, .fini = leave);

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static void expect_text(const char *name, const char *text)
{
	OWNED(buf_drop) struct buf got = BUF(0);
	struct err e = {0};

	cr_assert(file_read(name, 4096, &got, &e), "%s", e.text);
	cr_assert_str_eq(buf_text(&got), text);
}

Test(file, read_knows_its_limit)
{
	OWNED(buf_drop) struct buf got = BUF(0);
	struct err e = {0};

	cr_assert(file_write_new("a", slice_of("12345"), FILE_REFUSE, 0666, &e), "%s", e.text);
	cr_assert(file_read("a", 5, &got, &e));
	buf_drop(&got);
	cr_assert_not(file_read("a", 4, &got, &e));
	cr_assert_eq(e.kind, ERR_LIMIT);
	cr_assert_not(file_read("b", 4, &got, &e));
	cr_assert_eq(e.kind, ERR_MISSING);
}

Test(file, a_file_has_its_name_only_when_it_is_committed)
{
	struct outfile *o = NULL;
	struct err e = {0};
	struct stat st;

	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, false, &o, &e), "%s", e.text);
	cr_assert(file_write_at(outfile_fd(o), "text", 4, 0, &e));
	cr_assert(exists("a.partial"));
	cr_assert_not(exists("a"));
	cr_assert_eq(fstat(outfile_fd(o), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert(outfile_commit(o, 0666, &e), "%s", e.text);
	outfile_drop(&o);
	cr_assert_not(exists("a.partial"));
	cr_assert_eq(stat("a", &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0644);
	expect_text("a", "text");
}

Test(file, what_is_not_committed_is_removed_unless_kept)
{
	struct outfile *o = NULL;
	struct err e = {0};

	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, false, &o, &e));
	outfile_drop(&o);
	cr_assert_not(exists("a.partial"));
	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, false, &o, &e));
	cr_assert(file_write_at(outfile_fd(o), "text", 4, 0, &e));
	outfile_keep(o);
	outfile_drop(&o);
	expect_text("a.partial", "text");
}

Test(file, a_left_over_is_continued_or_emptied)
{
	struct outfile *o = NULL;
	struct err e = {0};

	cr_assert(file_write_new("a.partial", slice_of("text"), FILE_REFUSE, 0600, &e));
	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, true, &o, &e), "%s", e.text);
	cr_assert(outfile_resumed(o));
	outfile_keep(o);
	outfile_drop(&o);
	expect_text("a.partial", "text");
	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, false, &o, &e), "%s", e.text);
	cr_assert_not(outfile_resumed(o));
	outfile_keep(o);
	outfile_drop(&o);
	expect_text("a.partial", "");
}

Test(file, a_second_writer_is_refused)
{
	OWNED(outfile_drop) struct outfile *first = NULL;
	struct outfile *second = NULL;
	struct err e = {0};

	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, true, &first, &e));
	cr_assert_not(outfile_open("a", ".partial", FILE_REFUSE, true, &second, &e));
	cr_assert_null(second);
	cr_assert(exists("a.partial"));
}

Test(file, a_left_over_that_is_a_link_is_refused)
{
	struct outfile *o = NULL;
	struct err e = {0};

	cr_assert(file_write_new("b", slice_of("precious"), FILE_REFUSE, 0600, &e));
	cr_assert_eq(symlink("b", "a.partial"), 0);
	cr_assert_not(outfile_open("a", ".partial", FILE_REFUSE, false, &o, &e));
	cr_assert_eq(unlink("a.partial"), 0);
	cr_assert_eq(link("b", "a.partial"), 0);
	cr_assert_not(outfile_open("a", ".partial", FILE_REFUSE, false, &o, &e));
	expect_text("b", "precious");
}

Test(file, an_existing_file_is_refused_at_the_start_and_at_the_end)
{
	OWNED(outfile_drop) struct outfile *late = NULL;
	struct outfile *o = NULL;
	struct err e = {0};

	cr_assert(outfile_open("a", ".partial", FILE_REFUSE, false, &late, &e));
	cr_assert(file_write_new("a", slice_of("mine"), FILE_REFUSE, 0600, &e), "%s", e.text);
	cr_assert_not(outfile_commit(late, 0666, &e));
	cr_assert_eq(e.code, EEXIST);
	cr_assert_not(outfile_open("a", NULL, FILE_REFUSE, false, &o, &e));
	cr_assert_eq(e.code, EEXIST);
	expect_text("a", "mine");
	cr_assert(file_write_new("a", slice_of("yours"), FILE_REPLACE, 0600, &e), "%s", e.text);
	expect_text("a", "yours");
}

Test(file, a_link_at_the_final_name_is_never_followed)
{
	struct err e = {0};

	cr_assert(file_write_new("b", slice_of("precious"), FILE_REFUSE, 0600, &e));
	cr_assert_eq(symlink("b", "link"), 0);
	cr_assert_not(file_write_new("link", slice_of("x"), FILE_REFUSE, 0600, &e));
	cr_assert_not(file_write_new("link", slice_of("x"), FILE_REPLACE, 0600, &e));
	expect_text("b", "precious");
}

Test(file, a_full_disk_and_a_size_limit_are_named)
{
	struct rlimit limit;
	OWNED(drop_fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char bytes[2000] = {0};
	struct err e = {0};

	cr_assert_not(file_write_at(full, "x", 1, 0, &e));
	cr_assert_eq(e.code, ENOSPC);
	cr_assert_not_null(strstr(e.text, "full"));
	cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	const rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 1000;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	const bool ok = file_write_new("a", slice_at(bytes, 2000), FILE_REFUSE, 0600, &e);
	limit.rlim_cur = before; /* a measuring build writes its figures at the end */
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_not(ok);
	cr_assert_eq(e.code, EFBIG);
	cr_assert_not(exists("a"));
}

Test(file, a_region_is_read_and_written_in_place)
{
	OWNED(outfile_drop) struct outfile *o = NULL;
	OWNED(buf_drop) struct buf got = BUF(64);
	struct file_source from;
	struct file_sink to;
	struct buf_sink collect;
	struct err e = {0};

	cr_assert(outfile_open("a", NULL, FILE_REFUSE, false, &o, &e));
	file_sink_init(&to, outfile_fd(o), 1000, 5);
	cr_assert(to.sink.write(&to.sink, "12", 2, &e));
	cr_assert(to.sink.write(&to.sink, "345", 3, &e));
	cr_assert_not(to.sink.write(&to.sink, "6", 1, &e));
	cr_assert_eq(e.kind, ERR_LIMIT);
	file_source_init(&from, outfile_fd(o), 999, 6);
	buf_sink_init(&collect, &got);
	cr_assert(stream_copy(&from.source, &collect.sink, &e), "%s", e.text);
	cr_assert(slice_equal(buf_slice(&got), slice_at("\0"
							"12345",
						   6)));
	file_source_init(&from, outfile_fd(o), 1000, 6);
	cr_assert_not(stream_copy(&from.source, &collect.sink, &e));
	cr_assert_eq(e.kind, ERR_DAMAGED);
}
