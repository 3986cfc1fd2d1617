using System.Globalization;
using System.Text.Json;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;
using Spectre.Console;

namespace ControlPlane.Cli.Commands;

/// <summary>
/// Follows a migration to its end. On a terminal each NIC has a bar, on standard error, so that what is printed for a
/// program stays clean; elsewhere nothing is shown until the end.
/// </summary>
static class MigrationWatch
{
    const int StagesMax = 13;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>The VM tells its migration to begin after it has answered: so long it may be unknown.</summary>
    static readonly TimeSpan Birth = TimeSpan.FromSeconds(10);

    /// <param name="patience">Null: as long as it takes.</param>
    public static async Task<int> Run(Session session, Request begin, TimeSpan? patience, CancellationToken stop)
    {
        var begun = await session.Api.Send(begin, stop);
        if (begun is not Answer.Success success)
        {
            return session.Undecided(begun, begin);
        }
        if (await Id(session, success, stop) is not { } id)
        {
            session.Printer.Note("the server has begun it and named no migration; see: cpctl migration list");
            return ExitCode.TimedOut;
        }
        var looks = new Looks(session, Request.Get("v1", "migrations", id), patience, session.World.Time.GetTimestamp());
        var last = session.World.Canvas ? await Bars(session, looks, stop) : await looks.ToTheEnd(_ => { }, stop);
        return End(session, id, last);
    }

    /// <summary>The answer names it, or the operation does as soon as the server's view of it is there.</summary>
    static async Task<string?> Id(Session session, Answer.Success begun, CancellationToken stop)
    {
        Answer answer = begun;
        if (Named(begun) is { } id)
        {
            return id;
        }
        if (begun.Location is { } location && new Uri(session.Server, location).Segments is [.., "operations/", var operation])
        {
            answer = await session.Api.Send(Request.Get("v1", "operations", Uri.UnescapeDataString(operation)), stop);
        }
        return Named(answer);
    }

    static string? Named(Answer answer) => answer is Answer.Success { Body: { } body } ? MigrationText.Text(body, "migration") : null;

    static async Task<Answer> Bars(Session session, Looks looks, CancellationToken stop)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(session.World.Error),
        });
        Answer? last = null;
        await console.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn()).StartAsync(async shown =>
        {
            var bars = new Dictionary<string, Bar>(StringComparer.Ordinal);
            last = await looks.ToTheEnd(migration =>
            {
                foreach (var nic in MigrationText.Array(migration, "nics"))
                {
                    var name = MigrationText.Text(nic, "name") ?? "";
                    if (!bars.TryGetValue(name, out var bar))
                    {
                        bars[name] = bar = new Bar(shown.AddTask(Markup.Escape(Visible.Of(name)), maxValue: StagesMax));
                    }
                    bar.Show(Visible.Of(name), migration, nic);
                }
            }, stop);
        });
        return last!;
    }

    static int End(Session session, string id, Answer last)
    {
        if (last is not Answer.Success { Body: { } migration } success)
        {
            session.Printer.Note($"the migration goes on; see: cpctl migration show {id}");
            return session.Printer.Fail(last);
        }
        if (!Ended(migration))
        {
            session.Printer.Note($"still {MigrationText.Text(migration, "state")} when the wait was up; see: cpctl migration show {id}");
            return ExitCode.TimedOut;
        }
        session.Printer.Thing(session.Printer.Format is Format.Table ? MigrationText.Plain(migration) : migration, success.ETag);
        return migration.TryGetProperty("problem", out var problem) && problem.ValueKind is JsonValueKind.Object
            ? session.Printer.Tell(Problem.From(409, problem), ExitCode.Refused)
            : ExitCode.Ok;
    }

    static bool Ended(JsonElement migration) => MigrationText.Text(migration, "ended") is not null;

    /// <summary>One NIC: the stages are the bar, and the steps of the present one what lies between two of them.</summary>
    sealed class Bar(ProgressTask task)
    {
        string? _state;
        int _steps;

        public void Show(string name, JsonElement migration, JsonElement nic)
        {
            var (state, stage, left) = (MigrationText.Text(migration, "state"), MigrationText.Text(migration, "stage") ?? "", MigrationText.Left(nic));
            if (state != _state)
            {
                (_state, _steps) = (state, left);
            }
            _steps = Math.Max(_steps, left);
            var reached = stage.StartsWith('M') && int.TryParse(stage.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            task.Description = Markup.Escape($"{name} {stage} {Visible.Of(state ?? "")}{(Ended(migration) ? "" : $": {Visible.Of(MigrationText.Now(nic))}")}");
            task.Value = Math.Min(StagesMax, reached + (_steps == 0 ? 0 : (double)(_steps - left) / (_steps + 1)));
        }
    }

    sealed record Looks(Session Session, Request Migration, TimeSpan? Patience, long Began)
    {
        /// <summary>The migration as it was at last: at its end, when the wait was up, or what went wrong with looking.</summary>
        public async Task<Answer> ToTheEnd(Action<JsonElement> show, CancellationToken stop)
        {
            while (true)
            {
                var answer = await Session.Api.Send(Migration, stop);
                if (answer is Answer.Failure { Problem.Status: 404 } && Session.World.Time.GetElapsedTime(Began) < Birth)
                {
                    await Task.Delay(Pause, Session.World.Time, stop);
                    continue;
                }
                if (answer is not Answer.Success { Body: { } migration })
                {
                    return answer is Answer.Success ? new Answer.NoAnswer("the server answered without the migration") : answer;
                }
                show(migration);
                if (Ended(migration) || (Patience is { } patience && Session.World.Time.GetElapsedTime(Began) + Pause > patience))
                {
                    return answer;
                }
                await Task.Delay(Pause, Session.World.Time, stop);
            }
        }
    }
}
