/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin completion: scripts for shells. They ask `dunlin` itself for commands and endpoints, so they never
 * go stale. */
#include "apps/dunlin/command.h"

#include <string.h>

static const char USAGE[] = "dunlin completion bash|zsh|fish";

/* The long options of a help text: "  --mode MODE …", "  -e, --endpoint NAME …". */
#define OPTIONS_OF "'s/^  *\\(-., \\)\\{0,1\\}\\(--[a-z0-9-]*\\).*/\\2/p'"

/* Words are cut at blanks here: bash cuts at colons too, which endpoint names (urn:dev:…) are full of. */
static const char BASH[] =
    "# bash completion for dunlin: source it, or put it in /usr/share/bash-completion/completions/dunlin\n"
    "_dunlin() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words\n"
    "    read -ra words <<<\"$line\"\n"
    "    case $line in *[[:blank:]]) words+=('') ;; esac\n"
    "    local cur=${words[-1]} command=${words[1]} all=''\n"
    "    if [ ${#words[@]} -eq 2 ]; then\n"
    "        all=\"$(dunlin --help | sed -n 's/^  \\([a-z]*\\)  .*/\\1/p') help --server --version\"\n"
    "    elif [ \"${cur#-}\" != \"$cur\" ]; then\n"
    "        all=\"$(dunlin \"$command\" --help 2>/dev/null | sed -n " OPTIONS_OF
    ") --server --json --help\"\n"
    "    elif [ ${#words[@]} -eq 3 ]; then\n"
    "        case $command in\n"
    "        read|write|exec|create|delete|discover|observe|observations|cancel|attributes|requests)\n"
    "            all=$(dunlin clients --limit 200 2>/dev/null | sed '1d;s/ .*//') ;;\n"
    "        firmware) all='status push pull update reset' ;;\n"
    "        packages) all='add rm' ;;\n"
    "        credentials) all='list show set delete import server new-seal-key' ;;\n"
    "        bootstrap) all='config credentials runs rerun trigger' ;;\n"
    "        ets) all='list client server' ;;\n"
    "        completion) all='bash zsh fish' ;;\n"
    "        esac\n"
    "    elif [ ${#words[@]} -eq 4 ]; then\n"
    "        case \"$command ${words[2]}\" in\n"
    "        'bootstrap runs'|'bootstrap rerun'|'bootstrap trigger')\n"
    "            all=$(dunlin clients --limit 200 2>/dev/null | sed '1d;s/ .*//') ;;\n"
    "        esac\n"
    "    fi\n"
    "    COMPREPLY=($(compgen -W \"$all\" -- \"$cur\"))\n"
    "    case $COMP_WORDBREAKS in\n"
    "    *:*) COMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*:}\"}\"}\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -o default -F _dunlin dunlin\n";

static const char ZSH[] =
    "#compdef dunlin\n"
    "# zsh completion for dunlin: put it into a folder of $fpath as _dunlin\n"
    "_dunlin() {\n"
    "    local command=$words[2]\n"
    "    if (( CURRENT == 2 )); then\n"
    "        compadd -- ${(f)\"$(dunlin --help | sed -n 's/^  \\([a-z]*\\)  .*/\\1/p')\"} help\n"
    "    elif [[ $words[CURRENT] == -* ]]; then\n"
    "        compadd -- ${(f)\"$(dunlin $command --help 2>/dev/null | sed -n " OPTIONS_OF
    ")\"} --server --json --help\n"
    "    elif (( CURRENT == 3 )); then\n"
    "        case $command in\n"
    "        read|write|exec|create|delete|discover|observe|observations|cancel|attributes|requests)\n"
    "            compadd -- ${(f)\"$(dunlin clients --limit 200 2>/dev/null | sed '1d;s/ .*//')\"} ;;\n"
    "        firmware) compadd status push pull update reset ;;\n"
    "        packages) compadd add rm ;;\n"
    "        credentials) compadd list show set delete import server new-seal-key ;;\n"
    "        bootstrap) compadd config credentials runs rerun trigger ;;\n"
    "        ets) compadd list client server ;;\n"
    "        completion) compadd bash zsh fish ;;\n"
    "        esac\n"
    "    elif (( CURRENT == 4 )); then\n"
    "        case \"$command $words[3]\" in\n"
    "        'bootstrap runs'|'bootstrap rerun'|'bootstrap trigger')\n"
    "            compadd -- ${(f)\"$(dunlin clients --limit 200 2>/dev/null | sed '1d;s/ .*//')\"} ;;\n"
    "        esac\n"
    "    fi\n"
    "}\n"
    "_dunlin \"$@\"\n";

static const char FISH[] =
    "# fish completion for dunlin: put it into ~/.config/fish/completions/dunlin.fish\n"
    "complete -c dunlin -f\n"
    "complete -c dunlin -n __fish_use_subcommand -a \"(dunlin --help | sed -n 's/^  \\([a-z]*\\)  "
    ".*/\\1/p')\"\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from read write exec create delete discover observe "
    "observations cancel attributes requests; and test "
    "(count (commandline -opc)) -eq 2' -a \"(dunlin clients --limit 200 2>/dev/null | sed '1d;s/ .*//')\"\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from firmware; and test (count (commandline -opc)) -eq 2' "
    "-a 'status push pull update reset'\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from packages; and test (count (commandline -opc)) -eq 2' "
    "-a 'add rm'\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from credentials; and test (count (commandline -opc)) -eq "
    "2' "
    "-a 'list show set delete import server new-seal-key'\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from bootstrap; and test (count (commandline -opc)) -eq "
    "2' "
    "-a 'config credentials runs rerun trigger'\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from bootstrap; and __fish_seen_subcommand_from runs "
    "rerun "
    "trigger' -a \"(dunlin clients --limit 200 2>/dev/null | sed '1d;s/ .*//')\"\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from ets; and test (count (commandline -opc)) -eq 2' "
    "-a 'list client server'\n"
    "complete -c dunlin -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
    "complete -c dunlin -l server -r -d 'URL of the dunlind'\n"
    "complete -c dunlin -l json -d 'print JSON'\n";

void dn_help_completion(FILE *out)
{
    (void)fprintf(out,
                  "Print a completion script for a shell.\n\nusage: %s\n\n"
                  "examples:\n  source <(dunlin completion bash)\n"
                  "  dunlin completion fish > ~/.config/fish/completions/dunlin.fish\n",
                  USAGE);
}

int dn_cmd_completion(int argc, char **argv)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", BASH}, {"zsh", ZSH}, {"fish", FISH}};
    for (size_t i = 0; argc == 2 && i < sizeof scripts / sizeof scripts[0]; i++) {
        if (strcmp(argv[1], scripts[i].shell) == 0) {
            return fputs(scripts[i].script, stdout) < 0 ? EXIT_CODE_REFUSED : EXIT_CODE_OK;
        }
    }
    (void)fprintf(stderr, "usage: %s\n", USAGE);
    return EXIT_CODE_USAGE;
}
