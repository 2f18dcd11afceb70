#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Killed, or made to fail, at each step: login by password and by token, and git's store. What the tables say, and what
# is checked each time, stands in lib/failpoints.

bats_require_minimum_version 1.5.0
load ../lib/failpoints

setup_file() {
	program_setup_file
	: >"$BATS_FILE_TMPDIR/figures"
}

teardown_file() {
	failpoints_figures
	program_teardown_file
}

setup() { failpoints_setup; }
teardown() { failpoints_teardown; }

# What a login stores to try whether it can is nobody's, and the next login takes away what a kill left of it.
no_trial() { [[ -z $(secret-tool search --all application alation-cred base_url https://write-test.invalid 2>&1) ]] || fails "the trial is left"; }

paste_token() { login_token "$PASTE" --exclusive; }
git_store() { run_cred --protocol git store < <(git_request "oauth_refresh_token=$PASTE"); }

# From create.answered to login.stored the new RefreshToken is the server's alone: an orphan that the next login does not
# know of. The account is what it was.
@test "login by password, a new account" {
	finally=no_trial
	sweep none '0 new 1' login_demo <<-END
		lock.taken       none 0
		lock.taken:2     none 0
		login.tried      none 0
		create.asking    none 0
		create.answered  none 0  6 none 0
		lock.taken:3     none 0
		login.read       none 0
		login.stored     new  1  5 new 1
		lock.taken:4     new  1
		file.written     new  1  9 new 1
		login.listed     new  1  5 new 1
		mint.asking      new  1
		mint.answered    new  2  6 new 2
		login.cached     new  1
	END
}

# The access token of the RefreshToken before serves until that is retired: it lives.
@test "login by password, over an account" {
	finally=no_trial
	sweep cached '0 new 1' login_demo <<-END
		lock.taken       old 0
		lock.taken:2     old 0
		login.tried      old 0
		create.asking    old 0
		create.answered  old 0  6 old 0
		lock.taken:3     old 0
		login.read       old 0
		login.stored     new 0  5 new 0
		lock.taken:4     new 0
		file.written     new 0  9 new 1
		login.listed     new 0  5 new 1
		login.marked     new 0
		revoke.asking    new 0
		revoke.answered  new 1
		login.retired    new 1
		mint.asking      new 1
		mint.answered    new 2  6 new 2
		login.cached     new 1
	END
}

@test "login by token, a new account" {
	finally=no_trial
	sweep none '0 new 1' paste_token <<-END
		lock.taken                 none 0
		lock.taken:2               none 0
		login.tried                none 0
		lock.taken:3               none 0
		login.read                 none 0
		mint.asking                none 0
		mint.answered              none 1  6 none 1
		validate-refresh.asking    none 1
		validate-refresh.answered  none 1
		login.stored               new  2  5 new  2
		login.cached               new  1
		lock.taken:4               new  1
		file.written               new  1  9 new  1
		login.listed               new  1  5 new  1
	END
}

@test "login by token, over an account" {
	finally=no_trial
	sweep cached '0 new 1' paste_token <<-END
		lock.taken                 old 0
		lock.taken:2               old 0
		login.tried                old 0
		lock.taken:3               old 0
		login.read                 old 0
		mint.asking                old 0
		mint.answered              old 1  6 old 1
		validate-refresh.asking    old 1
		validate-refresh.answered  old 1
		login.marked               old 1
		revoke.asking              old 1
		revoke.answered            old 2
		login.retired              old 2
		login.stored               new 2  5 new 2
		login.cached               new 1
		lock.taken:4               new 1
		file.written               new 1  9 new 1
		login.listed               new 1  5 new 1
	END
}

@test "store, a new account" {
	sweep none '0 new 1' git_store <<-END
		lock.taken                 none 0
		login.read                 none 0
		mint.asking                none 0
		mint.answered              none 1  6 none 1
		validate-refresh.asking    none 1
		validate-refresh.answered  none 1
		login.stored               new  2  5 new  2
		login.cached               new  1
		lock.taken:2               new  1
		file.written               new  1  9 new  1
		login.listed               new  1  5 new  1
	END
}

@test "store, over an account" {
	sweep cached '0 new 1' git_store <<-END
		lock.taken                 old 0
		login.read                 old 0
		mint.asking                old 0
		mint.answered              old 1  6 old 1
		validate-refresh.asking    old 1
		validate-refresh.answered  old 1
		login.marked               old 1
		revoke.asking              old 1
		revoke.answered            old 2
		login.retired              old 2
		login.stored               new 2  5 new 2
		login.cached               new 1
		lock.taken:2               new 1
		file.written               new 1  9 new 1
		login.listed               new 1  5 new 1
	END
}
