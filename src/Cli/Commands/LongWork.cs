using System.Net;
using System.Text.Json;
using ControlPlane.Cli.Http;
using Spectre.Console;

namespace ControlPlane.Cli.Commands;

/// <summary>
/// A change that may take longer than one request. The server holds its answer for the wait; if it cannot hold so long,
/// the operation it names is asked again until the wait is up.
/// </summary>
static class LongWork
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(2);

    public static async Task<int> Run(Session session, Request request, TimeSpan? wait, string what, CancellationToken stop)
    {
        if (wait is not { } span)
        {
            return await session.Change(request, $"{what}: accepted", stop);
        }

        var asked = request.With("wait", Duration.Of(span)) with { Wait = span };
        var answer = await Turning(session, what, () => Follow(session, asked, span, stop));
        return answer is Answer.Success success ? End(session, success, what) : session.Undecided(answer, request);
    }

    static async Task<Answer> Follow(Session session, Request request, TimeSpan span, CancellationToken stop)
    {
        var began = session.World.Time.GetTimestamp();
        var answer = await session.Api.Send(request, stop);
        var pause = FirstPause;
        while (answer is Answer.Success { Status: (int)HttpStatusCode.Accepted } accepted
            && Operation(session, accepted) is { } operation
            && session.World.Time.GetElapsedTime(began) + pause < span)
        {
            await Task.Delay(pause, session.World.Time, stop);
            pause = pause * 2 < PauseMax ? pause * 2 : PauseMax;
            var now = await session.Api.Send(operation, stop);
            if (now is not Answer.Success success)
            {
                return now;
            }

            // Read as what it is: 202 for as long as it runs, so that the end is judged in one place.
            answer = State(success) is "running" ? success with { Status = accepted.Status, Location = accepted.Location } : success;
        }

        return answer;
    }

    static int End(Session session, Answer.Success end, string what)
    {
        if (State(end) is "refused" && end.Body!.Value.TryGetProperty("problem", out var problem) && problem.ValueKind is JsonValueKind.Object)
        {
            var status = problem.TryGetProperty("status", out var told) && told.TryGetInt32(out var number) ? number : (int)HttpStatusCode.Conflict;
            var refusal = Problem.From(status, problem);
            return session.Printer.Tell(refusal, refusal.ExitCode);
        }

        session.Printer.Thing(end.Body, end.ETag);
        switch (State(end), end.Status)
        {
            case ("refused", _):
                session.Printer.Note($"{what}: refused");
                return ExitCode.Refused;
            case ("unknown", _):
                session.Printer.Note($"{what}: ended, and the outcome is not known");
                return ExitCode.TimedOut;
            case (_, (int)HttpStatusCode.Accepted):
                session.Printer.Note($"{what}: still running when the wait was up{Hint(end)}");
                return ExitCode.TimedOut;
            default:
                if (end.Body is null)
                {
                    session.Printer.Say($"{what}: done");
                }

                return ExitCode.Ok;
        }
    }

    static string Hint(Answer.Success end) =>
        end.Location is { } location ? $"; see: cpctl operation show {Uri.UnescapeDataString(location.OriginalString.Split('/')[^1])}" : "";

    // Only the last part of the Location is used, on the server that we already speak with: an answer cannot send the token elsewhere.
    static Request? Operation(Session session, Answer.Success accepted) =>
        accepted.Location is { } location && new Uri(session.Server, location).Segments is [.., "operations/", var id]
            ? Request.Get("v1", "operations", Uri.UnescapeDataString(id))
            : null;

    static string? State(Answer.Success answer) =>
        answer.Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty("state", out var state)
            && state.ValueKind is JsonValueKind.String
            ? state.GetString()
            : null;

    // On standard error, so that what is printed for a program stays clean.
    static async Task<Answer> Turning(Session session, string what, Func<Task<Answer>> work)
    {
        if (!session.World.Terminal)
        {
            return await work();
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(session.World.Error) });
        Answer? answer = null;
        await console.Status().StartAsync(Markup.Escape(Output.Visible.Of(what)), async _ => answer = await work());
        return answer!;
    }
}
