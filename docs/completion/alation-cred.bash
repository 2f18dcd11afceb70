# SPDX-License-Identifier: MIT
# Completion for bash: the program says what there is, this only fits it to readline. Wants no bash-completion, but lets
# it complete the command of `exec -- COMMAND` where it is there.

_alation_cred()
{
	local line=${COMP_LINE:0:COMP_POINT} typed=${2//[\"\'\\]/} words=() starts=() i piece rest answer command candidate

	# readline cuts words at each of COMP_WORDBREAKS, as in https://102@host: what no blank parts is one word again.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		rest=${line#"${line%%[![:blank:]]*}"}
		if ((i == 0)) || [[ $rest != "$line" ]]; then
			words+=('') starts+=("$i")
		fi
		piece=$rest
		((i == COMP_CWORD)) || piece=${COMP_WORDS[i]}
		words[-1]+=$piece
		line=${rest#"$piece"}
	done
	words=("${words[@]//[\"\'\\]/}")

	answer=$(command alation-cred complete "${words[@]:1}" </dev/null 2>/dev/null) || answer=
	COMPREPLY=()
	case $answer in
	:files)
		compopt -o default
		;;
	:command\ *)
		command=${starts[${answer#:command } + 1]}
		if declare -F _comp_command_offset >/dev/null; then
			_comp_command_offset "$command"
		elif declare -F _command_offset >/dev/null; then
			_command_offset "$command"
		elif ((command == COMP_CWORD)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$typed")
		else
			compopt -o default
		fi
		;;
	?*)
		# Only what follows the last cut is put in its place.
		while IFS=$'\t' read -r candidate _; do
			COMPREPLY+=("${candidate#"${words[-1]%"$typed"}"}")
		done <<<"$answer"
		;;
	esac
}
complete -o nosort -F _alation_cred alation-cred 2>/dev/null || complete -F _alation_cred alation-cred
