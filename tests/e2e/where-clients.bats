#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who asks, as docs/recipes.md has it: real curl, git, direnv and Python's requests at the sandbox, with an open keyring;
# what is not on this machine (a runner of a CI, Alation's SDK, an MCP server) is stood in for, and said so there.

bats_require_minimum_version 1.5.0
load ../lib/place # its recipe

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() {
	program_setup --user "$SANDBOX_USER:$SANDBOX_PASSWORD:$SANDBOX_USER_ID" --user ada:pw:7
	mkdir "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work"
	export PATH=$BATS_TEST_TMPDIR/bin:${CRED%/*}:$PATH PYTHONDONTWRITEBYTECODE=1
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
}
teardown() {
	decoy_stop
	program_teardown
}

signed_in() {
	login_demo "$@"
	expect 0
	: >"$SANDBOX_LOG"
}
drop_cached() { keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL")" @u >/dev/null; }
cached_token() { keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL")" | sed 's/.*token=\([^&]*\).*/\1/'; }
live() { sed -n 's/.*createAPIAccessToken.* made=//p' "$SANDBOX_LOG" | tail -n 1; }
sh_runs() { place_run setsid -w "$1" -c "$2" 3>&-; } # SHELL SCRIPT
lists() { [[ $out == '['*'Sandbox sales'* ]] || fails 'not what was asked for'; }

@test "curl: at a prompt, in a script, as a configuration; without a token a script starts no curl" {
	for name in curl-prompt curl-script curl-config; do recipe "$name" >"$name"; done
	for script in curl-script curl-config; do
		sh_runs sh "$(<$script)"
		expect 3 'alation-cred login'
		[[ $(sandbox_calls datasource) == 0 ]]
	done
	signed_in
	for shell in bash zsh; do
		sh_runs $shell "$(<curl-prompt)"
		expect 0 && lists
	done
	for shell in sh bash zsh; do
		for script in curl-script curl-config; do
			sh_runs $shell "$(<$script)"
			expect 0 && lists
			[[ -z $err ]]
		done
	done
	# The token is in no argument of curl's.
	printf '#!/bin/sh\necho "$*" >>%q\nexec /usr/bin/curl "$@"\n' "$BATS_TEST_TMPDIR/arguments" >"$BATS_TEST_TMPDIR/bin/curl"
	chmod +x "$BATS_TEST_TMPDIR/bin/curl"
	for name in curl-prompt curl-script curl-config; do sh_runs bash "$(<$name)"; done
	[[ $(wc -l <"$BATS_TEST_TMPDIR/arguments") == 3 ]]
	run ! grep -qF "$(cached_token)" "$BATS_TEST_TMPDIR/arguments"
}

@test "curl: what stands on stdin is the body, and the header comes with it" {
	local block
	signed_in
	decoy_start document answer <(printf 'HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}')
	block=$(recipe curl-body)
	place_run setsid -w bash -c "${block/"$SANDBOX_URL"/http://127.0.0.1:$DECOY_PORT}" <<<'{"title":"a document"}'
	expect 0
	[[ $out == '{}' && $(decoy_got document) == 'POST /integration/v2/document/ '*"TOKEN: $(cached_token)"*'Content-Type: application/json'*'{"title":"a document"}'* ]]
}

@test "git: configured, asked, and told of a token that was refused" {
	local first
	signed_in
	first=$(cached_token)
	sh_runs sh "$(recipe git-config)"
	expect 0
	sh_runs sh "$(recipe git-fill)"
	expect 0
	[[ $out == *"username=102"*"password=$first"* ]]
	git credential reject <<<"$out"
	sh_runs sh "$(recipe git-fill)"
	expect 0
	[[ $out == *"password=$(live)"* && $(live) != "$first" && $(sandbox_calls createAPIAccessToken) == 1 ]]
}

# A runner's part: the job's variables, a secret, the shell that it runs a step with, and a log with its masks.
steps() { # NAME
	/usr/bin/python3 - "$1" <<-'END'
		import sys, yaml
		page = yaml.safe_load(open(sys.argv[1]))
		job = page.get("jobs", page)["export"]
		step = job["steps"][-1] if "steps" in job else job
		variables = {**job.get("env", {}), **job.get("variables", {})}
		secret = step["env"]["ALATION_REFRESH_TOKEN"] if "steps" in job else "${{ secrets.ALATION_REFRESH_TOKEN }}"
		assert secret == "${{ secrets.ALATION_REFRESH_TOKEN }}" and (job.get("concurrency") or job.get("resource_group")) == "alation"
		open("variables", "w").write("".join(f"{name}={value}\n" for name, value in variables.items()))
		open("step", "w").write(step["run"] if "run" in step else "\n".join(step["script"]) + "\n")
	END
}
job() { # [NAME=VALUE...]: the step, in the job's environment alone
	local variables
	mapfile -t variables <variables
	place_run env -i PATH="$PATH" HOME="$HOME" "${variables[@]}" "$@" CI=true setsid -w bash -e step 3>&-
	masked=$out$err
	while IFS= read -r line; do
		masked=${masked//"$line"/'***'}
	done < <(sed -n 's/^::add-mask:://p' <<<"$out")
}

@test "CI: a job with the secret gets its answer and logs no token; without it, and with one that is refused, curl is not started" {
	local token
	/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip 'python3-yaml is not installed'
	token=$(sandbox_refresh_token 102)
	for name in ci-github ci-gitlab; do recipe "$name" >"$name"; done
	for name in ci-github ci-gitlab; do
		steps "$name"
		: >"$SANDBOX_LOG"
		job ALATION_REFRESH_TOKEN="$token"
		expect 0
		[[ $(<catalog.json) == '['*'Sandbox sales'* && $(sandbox_calls createAPIAccessToken) == 1 ]]
		[[ $masked != *"$(live)"* && $masked != *"$token"* ]] || fails 'a token in the log'
		[[ $name == ci-gitlab || $out == "::add-mask::$(live)" ]]
		[[ ! -e $STATE/accounts ]]
		drop_cached
		job
		[[ $code == 5 && $err == *'no keyring can be reached'* ]] || fails 'not 5'
		job ALATION_REFRESH_TOKEN=never-made
		[[ $code == 3 && $err == *'refused the RefreshToken'* ]] || fails 'not 3'
		[[ $(sandbox_calls datasource) == 1 ]]
	done
}

# Debian's Python, for it has Debian's packages.
python_runs() { # FILE
	cp "$SANDBOX_TOP/docs/ide/alation_token.py" .
	place_run setsid -w /usr/bin/python3 "$1" 3>&-
}

@test "Python requests: fine, a token that is dead, a permission that is missing, another host, a redirect to one" {
	/usr/bin/python3 -c 'import requests' 2>/dev/null || skip 'python3-requests is not installed'
	signed_in
	decoy_start elsewhere answer <(printf 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}')
	recipe python-requests >page.py
	cat page.py - >program.py <<-'END'
		import os
		url = answer.url
		def control(call, **form):
		    requests.post(urljoin(url, "/sandbox/" + call), data=form).raise_for_status()
		print(answer.json()[0]["title"], len(answer.history))
		control("revoke", token=answer.request.headers["TOKEN"])
		answer = session.get(url)
		print(answer.status_code, [old.status_code for old in answer.history])
		control("fault", endpoint="datasource", status=403)
		print(session.get(url).status_code)
		control("fault", endpoint="datasource", status=302, header="Location: " + os.environ["ELSEWHERE"])
		answer = session.get(url)
		print(answer.status_code, answer.url == os.environ["ELSEWHERE"], "TOKEN" in answer.request.headers)
		control("fault", endpoint="datasource", status=302, header="Location: /integration/v1/userinfo/")
		print(session.get(url).json()["username"])
		try:
		    session.get(os.environ["ELSEWHERE"])
		except ValueError as error:
		    print("refused")
	END
	export ELSEWHERE=http://127.0.0.1:$DECOY_PORT/login
	python_runs program.py
	expect 0
	[[ $out == $'Sandbox sales 0\n200 [403]\n403\n403 True False\ndemo\nrefused' ]] || fails 'not the answers'
	[[ $(decoy_met elsewhere) == 1 && $(decoy_got elsewhere) != *"$(cached_token)"* && $(sandbox_calls createAPIAccessToken) == 1 ]]
}

# The package cannot be installed from Debian. Where it is not there, what stands in for it has its constructor's names, and
# does with an access token what it does: one call that validates, and the header `Token`.
@test "Allie-SDK: by access_token= nothing is minted" {
	signed_in
	if ! /usr/bin/python3 -c 'import allie_sdk' 2>/dev/null; then
		echo '# Allie-SDK is not installed: a stand-in with its constructor' >&3
		cat >allie_sdk.py <<-'END'
			import json, urllib.parse, urllib.request
			class Alation:
			    def __init__(self, host, user_id=None, refresh_token=None, access_token=None, validate_ssl=True, private_ssl_cert=None,
			                 disable_authentication=False, client_id=None, client_secret=None):
			        form = urllib.parse.urlencode({"api_access_token": access_token, "user_id": user_id}).encode()
			        with urllib.request.urlopen(host + "/integration/v1/validateAPIAccessToken/", form) as answer:
			            assert json.load(answer)["token_status"].upper() == "ACTIVE"
			        self.host, self.access_token = host, access_token
			    def get(self, path):
			        with urllib.request.urlopen(urllib.request.Request(self.host + path, headers={"Token": self.access_token})) as answer:
			            return answer.read().decode()
		END
	fi
	recipe allie-sdk >program.py
	echo 'print(alation.get("/integration/v2/datasource/") if hasattr(alation, "get") else alation.datasource.get_native_datasources())' >>program.py
	python_runs program.py
	expect 0
	[[ $out == *'Sandbox sales'* && $(calls | paste -sd ' ') == 'validateAPIAccessToken datasource' ]] || fails "$(calls)"
}

# No such server is here: a program that reads its variables stands in for it.
@test "MCP servers: what the entry starts has the variables, no RefreshToken, and stdin as it was; without a token nothing is started" {
	local words
	printf '#!/bin/sh\necho "$# $ALATION_BASE_URL $ALATION_USER_ID $ALATION_ACCESS_TOKEN $ALATION_API_TOKEN ${ALATION_REFRESH_TOKEN-none}"\ncat\n' \
		>"$BATS_TEST_TMPDIR/bin/start-catalog-mcp-server"
	chmod +x "$BATS_TEST_TMPDIR/bin/start-catalog-mcp-server"
	recipe mcp-config >entry
	mapfile -t words < <(jq -r '.servers.catalog | .command, .args[]' entry)
	[[ ${words[0]} == /usr/local/bin/alation-cred ]]
	words[0]=$CRED
	place_run setsid -w "${words[@]}" </dev/null 3>&-
	expect 125 'alation-cred login'
	signed_in
	export ALATION_REFRESH_TOKEN=stale
	place_run setsid -w "${words[@]}" <<<'{"jsonrpc":"2.0"}' 3>&-
	expect 0
	[[ $out == "0 $SANDBOX_URL 102 $(cached_token) $(cached_token) none"$'\n''{"jsonrpc":"2.0"}' ]] || fails 'not the variables'
}

@test "notebooks: a cell has its answer, and shows no token" {
	signed_in
	recipe notebook-cell >cell
	# What a cell's last line evaluates to is shown by its repr; a traceback too.
	cat >program.py <<-'END'
		import sys
		cell = open("cell").read()
		scope = {}
		exec(compile(cell, "cell", "exec"), scope)
		print(scope["sources"][0]["title"])
		for last in "tokens", "tokens.get()", "vars(tokens)", "[tokens.get()]":
		    print(repr(eval(last, scope)))
	END
	python_runs program.py
	expect 0
	[[ $out == 'Sandbox sales'$'\n'* && $out == *AlationToken\(* && $out != *"$(cached_token)"* ]] || fails 'a token that shows'
}

@test "direnv: the directory says the account, whichever is the default one" {
	local dir
	signed_in
	run_cred login "$SANDBOX_URL" --user ada --password-stdin <<<pw
	expect 0
	for id in 102 7; do
		dir=$BATS_TEST_TMPDIR/work/$id
		mkdir -p "$dir/below"
		recipe direnv-envrc | sed "s/USER_ID=102/USER_ID=$id/" >"$dir/.envrc"
		if command -v direnv >/dev/null; then
			direnv allow "$dir" 3>&-
			place_run direnv exec "$dir/below" setsid -w alation-cred token 3>&-
		else
			echo '# direnv is not installed: sh reads its file' >&3
			sh_runs sh ". $dir/.envrc && alation-cred token"
		fi
		expect 0
		[[ $out == "$(cached_token $id)" ]]
	done
	[[ $(cached_token 7) != "$(cached_token 102)" ]]
}

# systemd is not asked: what stands in for systemctl writes down how it is called.
@test "remove everything: nothing is left here, an exclusive RefreshToken is dead, and what is not ours stays" {
	local refresh
	printf '#!/bin/sh\necho "$*" >>%q\n' "$BATS_TEST_TMPDIR/systemctl" >"$BATS_TEST_TMPDIR/bin/systemctl"
	chmod +x "$BATS_TEST_TMPDIR/bin/systemctl"
	signed_in
	run_cred login "$SANDBOX_URL" --user ada --password-stdin <<<pw
	expect 0
	refresh=$(secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 | sed 's/.*refresh_token=\([^&]*\).*/\1/')
	sh_runs sh "$(recipe git-config)"
	git config --global credential.https://example.org.helper store
	mkdir -p "$HOME/.config/alation-cred" && echo '# nothing' >"$HOME/.config/alation-cred/config"
	sh_runs sh "$(recipe gone-all)"
	expect 0
	[[ $(<"$BATS_TEST_TMPDIR/systemctl") == '--user disable --now alation-cred-rotate.timer' ]]
	[[ -z $(kernel_keys) && -z $(secret-tool search --all application alation-cred 2>&1) ]]
	[[ -z $(find "$HOME" -name '*alation*') && $(git config --global --list) == 'credential.https://example.org.helper=store' ]]
	[[ $(sandbox_curl /integration/v1/validateRefreshToken/ -d "user_id=102&refresh_token=$refresh") != *'"token_status":"ACTIVE"'* ]]
}

# Each row of its table, whose second column holds one command or two that belong together.
@test "README: the commands of 'Which form do I need?' do it" {
	local row rows=0
	signed_in
	while IFS= read -r row; do
		row=${row//https:\/\/catalog.example.com/"$SANDBOX_URL"}
		row=${row//URL/-fsS "$SANDBOX_URL/integration/v2/datasource/"}
		sh_runs bash "${row//PROGRAM/printenv ALATION_ACCESS_TOKEN}"
		expect 0
		[[ $row != *curl* ]] || lists
		[[ $row != *exec* && $row != *--validate* ]] || [[ $out == "$(cached_token)" ]]
		rows=$((rows + 1))
	done < <(sed -n '/^## Which form/,/^## The verbs/p' "$SANDBOX_TOP/README.md" | grep '^| .*`' | sed 's/\\|/\x01/g' | cut -d'|' -f3 |
		grep -o '`.*`' | sed 's/`[^`]*`/&\x02/g; s/\x02[^`]*`/; /g; s/[`\x02]//g; s/\x01/|/g')
	[[ $rows -ge 9 && $(sandbox_calls createAPIAccessToken) == 0 ]]
}
