#include "bundle/forms.h"

#include "bundle/minisig.h"
#include "bundle/sigstore.h"

#include <string.h>

static bool check_sig(const struct evidence *v, const struct area_signature *raw, struct err *e)
{
	return signature_check(v->key, v->inventory, raw->data, e);
}

static bool check_sigstore(
    const struct evidence *v, const struct area_signature *raw, struct err *e)
{
	return sigstore_check(v->key, v->inventory, raw->data, v->signature->data, e);
}

static bool check_minisig(
    const struct evidence *v, const struct area_signature *raw, struct err *e)
{
	(void)raw;
	return minisig_check(v->key, v->inventory, v->signature->data, e);
}

static const struct form {
	const char *suffix;
	bool (*check)(
	    const struct evidence *v, const struct area_signature *raw, struct err *e);
} forms[] = {
    {"sig", check_sig},
    {"sigstore.json", check_sigstore},
    {"minisig", check_minisig},
};

static const struct form *find(const char *suffix)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(suffix, forms[i].suffix) == 0)
			return &forms[i];
	return NULL;
}

bool forms_know(const char *suffix)
{
	return find(suffix) != NULL;
}

bool forms_check(const struct evidence *v, struct err *e)
{
	const struct area_signature *raw = area_find(v->area, v->signature->kid, "sig");
	const struct form *form = find(area_suffix(v->signature));

	if (!raw || !form)
		return err_set(e, ERR_UNTRUSTED,
		    "expected %s.sig beside %s, found none: the signature itself was taken "
		    "away",
		    v->signature->kid, v->signature->name);
	return signature_usable(v->key, e) && form->check(v, raw, e);
}
