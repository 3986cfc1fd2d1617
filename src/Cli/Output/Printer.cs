using System.Text.Json;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Output;

/// <summary>Prints answers on standard output and problems on standard error, in the format that was asked for.</summary>
sealed class Printer(Surroundings world, Format format)
{
    readonly TableText _table = new(world);

    public Format Format => format;

    /// <summary>One resource or result.</summary>
    public void Thing(JsonElement? body, string? etag = null)
    {
        switch (format, body)
        {
            case (_, null):
                break;
            case (Format.Table, { ValueKind: JsonValueKind.Object } thing):
                _table.Fields(thing, etag);
                break;
            case (Format.Table, { } other):
                world.Out.WriteLine(TableText.Cell(other));
                break;
            default:
                Whole(body.Value);
                break;
        }
    }

    /// <summary>The server's JSON as a whole, in a format for programs.</summary>
    public void Whole(JsonElement body) =>
        world.Out.WriteLine(format is Format.Yaml ? YamlText.Of(body) : JsonText.Indented(body));

    public void Rows(IReadOnlyList<JsonElement> rows, IReadOnlyList<string> columns, bool header = true) =>
        _table.Rows(rows, columns, header);

    public void Fields(JsonElement thing) => _table.Fields(thing);

    /// <summary>One word to people about what was done; programs have the exit code.</summary>
    public void Say(string text)
    {
        if (format is Format.Table)
        {
            world.Out.WriteLine(Visible.Of(text));
        }
    }

    /// <summary>A remark beside the data.</summary>
    public void Note(string text) => world.Error.WriteLine($"cpctl: {Visible.Of(text)}");

    /// <summary>What went wrong, and the exit code that stands for it.</summary>
    public int Fail(Answer answer) => answer switch
    {
        Answer.Failure(var problem) => Tell(problem, problem.ExitCode),
        Answer.Unreachable(var reason) => Tell(Problem.Own(0, "cli.unreachable", "The server is not reachable", reason), ExitCode.NotReachable),
        Answer.NoAnswer(var reason) => Tell(Problem.Own(0, "cli.no-answer", "The outcome is not known", reason), ExitCode.TimedOut),
        _ => throw new InvalidOperationException("a success is no failure"),
    };

    public int Tell(Problem problem, int exitCode)
    {
        if (format is not Format.Table)
        {
            world.Error.WriteLine(format is Format.Yaml ? YamlText.Of(problem.Body) : JsonText.Indented(problem.Body));
            return exitCode;
        }

        var status = problem.Status > 0 ? $" ({problem.Status})" : "";
        world.Error.WriteLine($"cpctl: {Visible.Of(problem.Code ?? "refused")}{status}: {Visible.Of(problem.Title ?? "")}");
        Line("detail", problem.Detail);
        Line("rule", problem.Rule);
        Line("state", problem.State);
        return exitCode;
    }

    void Line(string name, string? value)
    {
        if (value is not null)
        {
            world.Error.WriteLine($"  {name}: {Visible.Of(value)}");
        }
    }
}
