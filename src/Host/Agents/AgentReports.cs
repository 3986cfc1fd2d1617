using System.Globalization;
using System.Threading.Channels;
using ControlPlane.Agent.Link;
using ControlPlane.Messages;
using Grpc.Core;

namespace ControlPlane.Host.Agents;

/// <summary>
/// What one agent says, on its way to the bridge: frames one report after the other, completions some at a time, each
/// acknowledged to the agent only when the bridge has stored it.
/// </summary>
sealed class AgentReports(
    AgentStream stream, Func<string, Command, CancellationToken, Task<Answer>> ask, AgentGatewaySurroundings world)
{
    static readonly TimeSpan PauseBeforeRepeat = TimeSpan.FromMilliseconds(250);

    readonly Channel<ReportFrames> _frames = Channel.CreateBounded<ReportFrames>(world.Options.FrameReportsMax);
    readonly Channel<ReportCompletion> _completions = Channel.CreateBounded<ReportCompletion>(world.Options.CompletionsAtOnce);

    long _completionsTaken;

    /// <summary>The reason that the agent gave for ending the session.</summary>
    public string? GoodBye { get; private set; }

    public async Task Take(LinkParcel parcel, CancellationToken end)
    {
        if (parcel.Session != stream.Session)
        {
            throw Ended(StatusCode.Aborted, $"stale session: {parcel.Session}, this stream has {stream.Session}");
        }
        switch (parcel.Word)
        {
            case ReportFrames { Frames.Count: > 0 } frames when frames.Session == stream.Session:
                if (!_frames.Writer.TryWrite(frames))
                {
                    throw Ended(StatusCode.ResourceExhausted, "window: frames are sent before the receipt of those before them");
                }
                break;
            case ReportCompletion { Completion.CommandId: not null } completion when completion.Session == stream.Session:
                await _completions.Writer.WriteAsync(completion, end);
                break;
            case CloseSession close:
                GoodBye = close.Reason;
                break;
            default:
                throw Ended(StatusCode.InvalidArgument, $"{StoredNames.Of(parcel.Word)} is not for a bridge, or is not whole");
        }
    }

    public async Task Frames(CancellationToken end)
    {
        var count = 0L;
        // Not ReadAllAsync, which goes on another scheduler than the one that all of this runs on.
        while (true)
        {
            var report = await _frames.Reader.ReadAsync(end);
            // The number makes each offer a message of its own: after a partial receipt the same frames come again and
            // must be looked at again, not be answered from the bridge's record.
            var id = string.Create(
                CultureInfo.InvariantCulture, $"{stream.Session}:frames:{report.Frames[^1].StreamEpoch}:{report.Frames[^1].Seq}:{++count}");
            if (await Offer(id, report, end) is { } stored)
            {
                stream.OverAtBridge |= stored.Seq < 0;
                await stream.Answer(stored, "", end);
            }
        }
    }

    public Task Completions(CancellationToken end) => Task.WhenAll(
        Enumerable.Range(0, world.Options.CompletionsAtOnce).Select(async _ =>
        {
            while (true)
            {
                await Complete(await _completions.Reader.ReadAsync(end), end);
            }
        }));

    /// <summary>Null: the bridge could not take them, and the agent is sent away.</summary>
    async Task<FramesStored?> Offer(string id, ReportFrames report, CancellationToken end)
    {
        var began = world.Time.GetTimestamp();
        while (true)
        {
            var answer = await ask(id, report, end);
            switch (answer)
            {
                case { Reply: FramesStored stored }:
                    return stored;
                case { Refusal: { Transient: true } refusal } when world.Time.GetElapsedTime(began) < world.Options.FramesOfferedMax:
                    await Task.Delay(PauseBeforeRepeat, world.Time, end);
                    break;
                case { Refusal: { Transient: true } refusal }:
                    stream.End($"the bridge cannot take frames: {refusal.Detail}", TimeSpan.FromSeconds(5));
                    return null;
                default:
                    stream.OverAtBridge = true;
                    throw Ended(StatusCode.Aborted, answer.Refusal?.Detail ?? $"stale session: {stream.Session} is not the newest");
            }
        }
    }

    /// <summary>Without a receipt the agent says it again when the bridge repeats the command, or with the next session.</summary>
    async Task Complete(ReportCompletion report, CancellationToken end)
    {
        var command = report.Completion.CommandId;
        // Numbered: a completion that the agent repeats is a message of its own, or the record would answer it unread.
        var number = Interlocked.Increment(ref _completionsTaken);
        var answer = await ask(string.Create(CultureInfo.InvariantCulture, $"{stream.Session}:done:{command}:{number}"), report, end);
        if (answer.Refusal is { } refusal)
        {
            GatewayLog.CompletionNotTaken(world.Log, stream.Host, command, refusal.Detail);
        }
        else
        {
            await stream.Answer(new CompletionTaken(command), command, end);
        }
    }

    static RpcException Ended(StatusCode code, string reason) => new(new Status(code, reason));
}
