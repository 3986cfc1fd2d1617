using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>What one run of a command works with.</summary>
sealed record Session(Surroundings World, Uri Server, ApiClient Api, Printer Printer)
{
    /// <summary>Sends one request and shows its answer whole.</summary>
    public async Task<int> Show(Request request, CancellationToken stop)
    {
        var answer = await Api.Send(request, stop);
        if (answer is not Answer.Success success)
        {
            return Printer.Fail(answer);
        }

        Printer.Thing(success.Body, success.ETag);
        return ExitCode.Ok;
    }

    /// <summary>Sends a change; where the server answers without a body, people read what was done.</summary>
    public async Task<int> Change(Request request, string done, CancellationToken stop)
    {
        var answer = await Api.Send(request, stop);
        if (answer is not Answer.Success success)
        {
            return Undecided(answer, request);
        }

        if (success.Body is null)
        {
            Printer.Say(done);
        }

        Printer.Thing(success.Body, success.ETag);
        return ExitCode.Ok;
    }

    /// <summary>A failed change; if its outcome is unknown, how to repeat it without doing it twice.</summary>
    public int Undecided(Answer answer, Request request)
    {
        if (answer is Answer.NoAnswer && request.IdempotencyKey is { } key)
        {
            Printer.Note($"the change may have happened; repeating it with --idempotency-key {key:D} never does it twice");
        }

        return Printer.Fail(answer);
    }
}
