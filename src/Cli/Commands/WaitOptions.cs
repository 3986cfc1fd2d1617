using System.CommandLine;

namespace ControlPlane.Cli.Commands;

/// <summary>How long to wait for the end of long work.</summary>
sealed class WaitOptions
{
    static readonly TimeSpan Default = TimeSpan.FromSeconds(30);

    public Option<TimeSpan?> Wait { get; } = new("--wait")
    {
        Description = "How long to wait for the end (default: 30s)",
        HelpName = "30s",
        CustomParser = result => Duration.Parse(result),
    };

    public Option<bool> NoWait { get; } = new("--no-wait") { Description = "Print the operation and do not wait for its end" };

    /// <summary>Null: do not wait.</summary>
    public TimeSpan? Of(ParseResult parsed) => parsed.GetValue(NoWait) ? null : parsed.GetValue(Wait) ?? Default;

    public void Check(Command command) => command.Validators.Add(result =>
    {
        if (result.GetResult(Wait) is not null && result.GetResult(NoWait) is not null)
        {
            result.AddError("either --wait or --no-wait");
        }
    });
}
