namespace ControlPlane.Cli;

/// <summary>What cpctl meets outside itself. A test hands in its own, so that a run can be repeated.</summary>
public sealed record Surroundings
{
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }
    public TextReader In { get; init; } = TextReader.Null;

    /// <summary>An environment variable by its name; null if it is not set.</summary>
    public Func<string, string?> Variable { get; init; } = _ => null;
    public string WorkingDirectory { get; init; } = Path.GetTempPath();
    public string HomeDirectory { get; init; } = Path.GetTempPath();
    public required Func<Guid> NewId { get; init; }

    /// <summary>A number from 0 to 1: spreads the reconnects of many watchers.</summary>
    public required Func<double> Chance { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>A person reads the output: tables fit its width and long work turns a spinner.</summary>
    public bool Terminal { get; init; }

    /// <summary>Standard error is a terminal that can be drawn on: a watch has its bars there.</summary>
    public bool Canvas { get; init; }

    public static Surroundings OfThisProcess() => new()
    {
        Out = Console.Out,
        Error = Console.Error,
        In = Console.In,
        Variable = Environment.GetEnvironmentVariable,
        WorkingDirectory = Environment.CurrentDirectory,
        HomeDirectory = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
#pragma warning disable RS0030 // The door: here ids and chance come into the program, and nowhere else.
        NewId = Guid.NewGuid,
        Chance = Random.Shared.NextDouble,
#pragma warning restore RS0030
        Terminal = !Console.IsOutputRedirected,
        Canvas = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb",
    };
}
