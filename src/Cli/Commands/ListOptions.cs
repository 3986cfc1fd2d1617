using System.CommandLine;
using System.Text.Json;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>How much of a list to show, and the showing.</summary>
sealed class ListOptions
{
    const int LimitMax = 1000;

    public Option<int?> Limit { get; } = new("--limit") { Description = "Items on one page, 1 to 1000 (the server's default: 100)", HelpName = "N" };
    public Option<string?> PageToken { get; } = new("--page-token") { Description = "Begin at the page after this token", HelpName = "TOKEN" };
    public Option<bool> All { get; } = new("--all") { Description = "Follow the pages to the end" };

    public ListOptions() => Limit.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int?>() is < 1 or > LimitMax)
        {
            result.AddError($"--limit is from 1 to {LimitMax}");
        }
    });

    public async Task<int> Show(Session session, ParseResult parsed, Request list, IReadOnlyList<string> columns, CancellationToken stop)
    {
        var all = parsed.GetValue(All);
        var limit = parsed.GetValue(Limit) ?? (all ? LimitMax : null);
        var request = list.With("limit", limit);
        var token = parsed.GetValue(PageToken);
        if (all)
        {
            return await ShowAll(session, request, token, columns, stop);
        }

        var answer = await session.Api.Send(request.With("pageToken", token), stop);
        if (answer is not Answer.Success { Body: { } body })
        {
            return session.Printer.Fail(OrEmpty(answer));
        }

        if (session.Printer.Format is not Format.Table)
        {
            session.Printer.Whole(body);
            return ExitCode.Ok;
        }

        session.Printer.Rows(Items(body), columns);
        if (Next(body) is { } next)
        {
            session.Printer.Note($"there is more: --all, or --page-token {next}");
        }

        return ExitCode.Ok;
    }

    /// <summary>Every item of a list, for a view that needs them together.</summary>
    public static async Task<(IReadOnlyList<JsonElement> Items, Answer? Failed)> Collect(Session session, Request list, CancellationToken stop)
    {
        var items = new List<JsonElement>();
        var failed = await Follow(session, list.With("limit", LimitMax), null, items.AddRange, stop);
        return (items, failed);
    }

    static async Task<int> ShowAll(Session session, Request request, string? token, IReadOnlyList<string> columns, CancellationToken stop)
    {
        var pages = new PageWriter(session.World, session.Printer, columns);
        var failed = await Follow(session, request, token, pages.Write, stop);
        pages.Close();
        return failed is null ? ExitCode.Ok : session.Printer.Fail(failed);
    }

    static async Task<Answer?> Follow(Session session, Request request, string? token, Action<IReadOnlyList<JsonElement>> page, CancellationToken stop)
    {
        while (true)
        {
            var answer = await session.Api.Send(request.With("pageToken", token), stop);
            if (answer is not Answer.Success { Body: { } body })
            {
                return OrEmpty(answer);
            }

            page(Items(body));
            var next = Next(body);
            if (next is null)
            {
                return null;
            }

            if (next == token)
            {
                return new Answer.NoAnswer("the server answered the same page token twice; the rest of the list is not shown");
            }

            token = next;
        }
    }

    static Answer OrEmpty(Answer answer) =>
        answer is Answer.Success ? new Answer.NoAnswer("the server answered a list without a body") : answer;

    static IReadOnlyList<JsonElement> Items(JsonElement body) => body switch
    {
        { ValueKind: JsonValueKind.Array } => [.. body.EnumerateArray()],
        { ValueKind: JsonValueKind.Object } when body.TryGetProperty("items", out var items) && items.ValueKind is JsonValueKind.Array
            => [.. items.EnumerateArray()],
        _ => [],
    };

    static string? Next(JsonElement body) =>
        body.ValueKind is JsonValueKind.Object && body.TryGetProperty("nextPageToken", out var next)
            && next.ValueKind is JsonValueKind.String && next.GetString() is { Length: > 0 } token
            ? token
            : null;
}
