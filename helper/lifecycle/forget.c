/* SPDX-License-Identifier: MIT */
/*
 * Forgetting, in the order in which it can be taken up again.
 */
#include "helper/lifecycle/forget.h"

#include "helper/lifecycle/recovery.h"
#include "helper/lifecycle/vault.h"

enum outcome forget_account(struct context *context, const struct account *account)
{
	enum outcome outcome = vault_forget_access(context, account);

	if (outcome == DONE)
		outcome = vault_forget_refresh(context, account);
	if (outcome != DONE)
		return outcome;
	recovery_forget(context, account);
	return accounts_change(NULL, account, context->deadline_ms, NULL, &context->trouble);
}
