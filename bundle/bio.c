#include "bundle/bio.h"

#include <openssl/err.h>
#include <openssl/pem.h>

BIO *bio_of(struct slice bytes)
{
	return BIO_new_mem_buf(bytes.ptr ? bytes.ptr : "", (int)bytes.len);
}

void bio_drop(BIO **bio)
{
	BIO_free(*bio);
}

int bio_ask_nobody(char *text, int room, int writing, void *context)
{
	(void)text;
	(void)room;
	(void)writing;
	(void)context;
	return -1;
}

bool bio_ended(void)
{
	const unsigned long last = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}
