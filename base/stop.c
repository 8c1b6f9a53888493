#include "base/stop.h"

#include <stdatomic.h>

static atomic_bool stopping;

void stop_request(void)
{
	atomic_store(&stopping, true);
}

bool stop_requested(void)
{
	return atomic_load(&stopping);
}

bool stop_check(struct err *e)
{
	if (stop_requested())
		return err_set(
		    e, ERR_STOPPED, "interrupted; run the same command again to continue");
	return true;
}
