/*
 * How a token service is asked (PROTOCOL TOK-03).
 */
#pragma once

enum token_method {
	TOKEN_AUTO, /* GET, but POST for an identity token (TOK-03) */
	TOKEN_GET,
	TOKEN_POST,
};
