/* SPDX-License-Identifier: MIT */
/*
 * Whether only root and the user can have written a file. Reads /etc/passwd and /etc/group themselves and
 * never asks NSS: its plug-ins would be loaded into us, and one of them may wait for a network.
 */
#include "keyring/trust.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_MAX_BYTES 8192 /* a line that is longer counts as not private */
#define NAME_MAX_BYTES 256

/* The owner's name; false where there is none, or where another user's primary group is GID. */
static bool owner_alone(FILE *passwd, uid_t owner, gid_t gid, char name[NAME_MAX_BYTES])
{
	char text[ENTRY_MAX_BYTES];
	struct passwd entry, *found;
	int r;

	name[0] = '\0';
	while ((r = fgetpwent_r(passwd, &entry, text, sizeof text, &found)) == 0) {
		if (entry.pw_uid != owner && entry.pw_gid == gid)
			return false;
		if (entry.pw_uid == owner && name[0] == '\0') {
			if (strlen(entry.pw_name) >= NAME_MAX_BYTES)
				return false;
			strcpy(name, entry.pw_name);
		}
	}
	return r == ENOENT && name[0] != '\0'; /* ENOENT is how the end of the file is said */
}

static bool members_are(char *const *members, const char *name)
{
	for (; *members != NULL; members++)
		if (strcmp(*members, name) != 0)
			return false;
	return true;
}

bool trust_private_group(FILE *passwd, FILE *group, uid_t owner, gid_t gid)
{
	char text[ENTRY_MAX_BYTES], name[NAME_MAX_BYTES];
	struct group entry, *found;
	bool private = false;
	int r;

	if (!owner_alone(passwd, owner, gid, name))
		return false;
	while ((r = fgetgrent_r(group, &entry, text, sizeof text, &found)) == 0) {
		if (entry.gr_gid != gid)
			continue;
		private = strcmp(entry.gr_name, name) == 0 && members_are(entry.gr_mem, name);
		if (!private)
			return false;
	}
	return r == ENOENT && private;
}

/* The number first: distributions that give each user a group of his own number them alike. */
static bool group_is_private(uid_t owner, gid_t gid)
{
	FILE *passwd, *group;
	bool private;

	if (gid == owner)
		return true;
	passwd = fopen("/etc/passwd", "re");
	group = fopen("/etc/group", "re");
	private = passwd != NULL && group != NULL && trust_private_group(passwd, group, owner, gid);
	if (passwd != NULL)
		fclose(passwd);
	if (group != NULL)
		fclose(group);
	return private;
}

const char *trust_refusal(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != getuid())
		return "belongs neither to root nor to you";
	if (st->st_mode & S_IWOTH)
		return "is writable by everybody";
	if ((st->st_mode & S_IWGRP) && !group_is_private(st->st_uid, st->st_gid))
		return "is writable by a group";
	return NULL;
}
