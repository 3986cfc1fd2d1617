using System.CommandLine;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>The options that every command knows, and the session that they open.</summary>
sealed class GlobalOptions(Surroundings world)
{
    const string DefaultServer = "http://127.0.0.1:8080";
    static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    readonly Option<string> _server = new("--server")
    {
        Description = $"The API's address (default: $CPCTL_SERVER, else {DefaultServer})",
        HelpName = "URL",
        Recursive = true,
    };

    readonly Option<string> _output = new Option<string>("--output", "-o")
    {
        Description = "How to print: table, json or yaml",
        DefaultValueFactory = _ => "table",
        Recursive = true,
    }.AcceptOnlyFromAmong("table", "json", "yaml");

    readonly Option<FileInfo?> _tokenFile = new("--token-file")
    {
        Description = "The file with the bearer token (default: $CPCTL_TOKEN_FILE, else ./data/admin.token, else ~/.config/cpctl/token)",
        HelpName = "FILE",
        Recursive = true,
    };

    readonly Option<TimeSpan?> _timeout = new("--timeout")
    {
        Description = "How long one answer may take (default: 30s)",
        HelpName = "30s",
        CustomParser = result => Duration.Parse(result),
        Recursive = true,
    };

    public void AddTo(Command root)
    {
        root.Add(_server);
        root.Add(_output);
        root.Add(_tokenFile);
        root.Add(_timeout);
    }

    /// <summary>Makes a command that runs with a session; arguments and options in the order that help shows them.</summary>
    public Command Command(
        string name,
        string description,
        Func<Session, ParseResult, CancellationToken, Task<int>> run,
        params ReadOnlySpan<Symbol> symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }

        command.SetAction((parsed, stop) => Open(parsed, session => run(session, parsed, stop)));
        return command;
    }

    async Task<int> Open(ParseResult parsed, Func<Session, Task<int>> run)
    {
        var format = Enum.Parse<Format>(parsed.GetRequiredValue(_output), ignoreCase: true);
        var address = parsed.GetValue(_server) ?? world.Variable("CPCTL_SERVER") ?? DefaultServer;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var server)
            || (server.Scheme != Uri.UriSchemeHttp && server.Scheme != Uri.UriSchemeHttps))
        {
            return Usage($"'{address}' is not an http:// or https:// address");
        }

        var (token, fault) = Credentials.Find(parsed.GetValue(_tokenFile), server, world);
        if (fault is not null)
        {
            return Usage(fault);
        }

        using var api = new ApiClient(server, token, parsed.GetValue(_timeout) ?? DefaultTimeout, world.Time);
        return await run(new Session(world, server, api, new Printer(world, format)));
    }

    int Usage(string fault)
    {
        world.Error.WriteLine($"cpctl: {Visible.Of(fault)}");
        return ExitCode.Usage;
    }
}
