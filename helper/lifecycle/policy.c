/* SPDX-License-Identifier: MIT */
/*
 * The rules of an access token's life, as pure functions. Includes nothing but its header.
 */
#include "helper/lifecycle/policy.h"

#define MARGIN_S 60
#define MARGIN_PERCENT 2
#define GUESSED_LIFETIME_S 3600
#define LIFETIME_MAX_S (10LL * 366 * 86400) /* what no server means: a mistyped year */

int64_t policy_margin_s(int64_t lifetime_s)
{
	int64_t share_s = lifetime_s / (100 / MARGIN_PERCENT); /* divided only: a damaged record may say anything */

	return share_s < MARGIN_S ? share_s : MARGIN_S;
}

enum decision policy_decide(const struct cached *have)
{
	if (!have->present || have->left_s <= policy_margin_s(have->lifetime_s))
		return MINT;
	return SERVE;
}

int64_t policy_lifetime_s(int64_t created_at, int64_t expires_at, int64_t date, bool *ret_guessed)
{
	int64_t from = created_at >= 0 ? created_at : date;
	int64_t lifetime_s = expires_at - from;

	*ret_guessed = from < 0 || expires_at < 0 || lifetime_s <= 0 || lifetime_s > LIFETIME_MAX_S;
	return *ret_guessed ? GUESSED_LIFETIME_S : lifetime_s;
}
