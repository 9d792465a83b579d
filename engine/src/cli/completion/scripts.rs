//! What is added to the scripts of clap, so that they ask for candidates.

use clap_complete::Shell;

/// The script of a shell, with completion of settings where this is known how.
pub(super) fn with_settings(shell: Shell, script: &str, program: &str) -> String {
    let function = program.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let fill = |text: &str| text.replace("PROGRAM", program).replace("FUNCTION", &function);
    match shell {
        Shell::Bash => format!("{script}{}", fill(BASH)),
        Shell::Zsh => {
            // clap's function is called by its name or by `compdef`, and this one has to be known before
            let asks = script.replace(":PATH=VALUE:_default'", &fill(":PATH=VALUE:_FUNCTION_settings'"));
            // with `*::`, zsh completes no option behind the files
            let asks = asks.replace("'*::", "'*:");
            match asks.split_once('\n') {
                // `#compdef` has to stay the first line
                Some((first, rest)) => format!("{first}\n{}{rest}", fill(ZSH)),
                None => asks,
            }
        }
        Shell::Fish => format!("{script}{}", fill(FISH)),
        _ => script.to_owned(),
    }
}

/// Bash breaks words at `=` and `:`, so the word is taken from the line, and what bash has of it already is left out.
const BASH: &str = r#"
_FUNCTION_with_settings() {
    local line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##* }" before="${line% *}"
    case "${before##* } $word" in
        "--set "*) ;;
        *" --set="*) word="${word#--set=}" ;;
        *)
            _PROGRAM "$@"
            return
            ;;
    esac
    local known="${word%"${word##*[=:]}"}" found
    COMPREPLY=()
    while IFS= read -r found; do
        COMPREPLY+=("${found#"$known"}")
    done < <("${COMP_WORDS[0]/#\~/$HOME}" candidates "$word" -- "${COMP_WORDS[@]:1}" 2>/dev/null)
    compopt -o nospace
}
complete -F _FUNCTION_with_settings -o bashdefault -o default PROGRAM
"#;

const ZSH: &str = r#"
_FUNCTION_settings() {
    local -a found
    found=("${(@f)$(PROGRAM candidates "$PREFIX" -- "${words[@]}" 2>/dev/null)}")
    compadd -S '' -- "${(@)found:#}"
}
"#;

const FISH: &str = r#"
complete -c PROGRAM -l set -x -a '(PROGRAM candidates (commandline -ct | string replace -r -- "^--set=" "") -- (commandline -opc)[2..] 2>/dev/null)'
"#;
