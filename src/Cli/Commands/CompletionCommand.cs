using System.CommandLine;

namespace ControlPlane.Cli.Commands;

/// <summary>Prints the lines that teach a shell to complete cpctl; the words themselves come from cpctl at every key press.</summary>
static class CompletionCommand
{
    const string Bash = """
        # cpctl for bash:  source <(cpctl completion bash)
        _cpctl() {
            local current="${COMP_WORDS[COMP_CWORD]}"
            local words
            words="$(cpctl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)"
            local IFS=$'\n'
            mapfile -t COMPREPLY < <(compgen -W "${words}" -- "${current}")
        }
        complete -F _cpctl cpctl
        """;

    const string Zsh = """
        # cpctl for zsh:  source <(cpctl completion zsh)
        _cpctl() {
            local -a words
            words=("${(@f)$(cpctl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a words
        }
        compdef _cpctl cpctl
        """;

    public static Command Of(Surroundings world)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash or zsh" }.AcceptOnlyFromAmong("bash", "zsh");
        var command = new Command("completion", "Print the completion script of a shell") { shell };
        command.SetAction(parsed =>
        {
            world.Out.WriteLine(parsed.GetRequiredValue(shell) is "bash" ? Bash : Zsh);
            return ExitCode.Ok;
        });
        return command;
    }
}
