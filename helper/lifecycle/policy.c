/* SPDX-License-Identifier: MIT */
/*
 * The rules of an access token's life, as pure functions. Includes nothing but its header.
 */
#include "helper/lifecycle/policy.h"

#define MARGIN_S 60
#define MARGIN_PERCENT 2
#define LASTING_S 3600
#define LASTING_PARTS 4
#define GUESSED_LIFETIME_S 3600
#define LIFETIME_MAX_S (10LL * 366 * 86400) /* what no server means: a mistyped year */

int64_t policy_margin_s(int64_t lifetime_s)
{
	int64_t share_s = lifetime_s / (100 / MARGIN_PERCENT); /* divided only: a damaged record may say anything */

	return share_s < MARGIN_S ? share_s : MARGIN_S;
}

int64_t policy_lasting_s(int64_t lifetime_s)
{
	int64_t share_s = lifetime_s / LASTING_PARTS;

	return share_s < LASTING_S ? share_s : LASTING_S;
}

static int64_t least_s(const struct cached *have, const struct wish *wish)
{
	if (wish->min_ttl_s >= 0)
		return wish->min_ttl_s;
	return wish->lasting ? policy_lasting_s(have->lifetime_s) : policy_margin_s(have->lifetime_s);
}

/* A new one would not live longer either: younger than a tenth of its lifetime. */
static bool is_young(const struct cached *have)
{
	return have->lifetime_s - have->left_s < have->lifetime_s / 10 + (have->lifetime_s % 10 != 0);
}

/* Whether nothing stands against it but its life. */
static enum decision if_trusted(const struct cached *have, const struct wish *wish, enum decision then)
{
	bool known = have->minted_since || (have->validated_ago_ms >= 0 && have->validated_ago_ms < POLICY_VALIDATION_MEMO_MS);

	if (have->suspect || (have->late && !have->validated_since))
		return VALIDATE;
	return wish->validate && !known ? VALIDATE : then;
}

enum decision policy_decide(const struct cached *have, const struct wish *wish)
{
	if (!have->present || have->left_s <= 0 || (wish->fresh && !have->minted_since))
		return MINT;
	if (have->left_s > least_s(have, wish))
		return if_trusted(have, wish, SERVE);
	return is_young(have) ? if_trusted(have, wish, SERVE_YOUNG) : MINT;
}

int64_t policy_lifetime_s(int64_t created_at, int64_t expires_at, int64_t date, bool *ret_guessed)
{
	int64_t from = created_at >= 0 ? created_at : date;
	int64_t lifetime_s = expires_at - from;

	*ret_guessed = from < 0 || expires_at < 0 || lifetime_s <= 0 || lifetime_s > LIFETIME_MAX_S;
	return *ret_guessed ? GUESSED_LIFETIME_S : lifetime_s;
}
