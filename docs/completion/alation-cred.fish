# SPDX-License-Identifier: MIT
# Completion for fish: the program says what there is, in fish's own form.

function __alation_cred_complete
    set -l words (commandline -opc)
    # Of a word whose quote is still open, what stands in it.
    set -l typed (string trim --left --chars '"\'' -- (commandline -ct))
    set -l answer (command alation-cred complete $words[2..-1] "$typed" </dev/null 2>/dev/null)
    switch "$answer[1]"
        case :files
            __fish_complete_path "$typed"
        case ':command *'
            set -l first (math (string replace ':command ' '' -- $answer[1]) + 2)
            complete -C (string join ' ' -- (string escape -- $words[$first..-1]) "$typed")
        case '?*'
            printf '%s\n' $answer
    end
end
complete -c alation-cred -f -a '(__alation_cred_complete)'
