using System.Reflection;
using ControlPlane.Agent.Link;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Agent;

/// <summary>
/// The agent of one host: it lends a data path to the cluster for as long as there is a link, and leaves the data path
/// alone when there is none.
/// <code>
///   away ── stream, hello with snapshot ──► opening ── SessionOpened: fences, owed completions ──► open
///    ▲                                         │                                                    │  frames ► ◄ receipts
///    └── back-off, or what the node asked for ─┴────────── stream ended, gap, silence ──────────────┘  ◄ commands, completions ►
/// </code>
/// It keeps nothing on disk: what must outlive it (devices, fences) is the driver's, the rest comes again from the cluster.
/// </summary>
public sealed class HostAgent : IDisposable
{
    static readonly string Version =
        typeof(HostAgent).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    // A session that ended sooner did not help; the next attempt waits longer than the one before.
    static readonly TimeSpan GoodSession = TimeSpan.FromSeconds(5);

    readonly string _host;
    readonly IDriver _driver;
    readonly IAgentLink _link;
    readonly HostAgentOptions _options;
    readonly TimeProvider _time;
    readonly ILogger _log;
    readonly Backoff _backoff;
    readonly CommandDesk _desk;
    long _session;

    public HostAgent(
        string host, IDriver driver, IAgentLink link, HostAgentOptions options, AgentSurroundings surroundings)
    {
        _host = host;
        _driver = driver;
        _link = link;
        _options = options;
        _time = surroundings.Time;
        _log = surroundings.Log;
        _backoff = new Backoff(options.ReconnectFirst, options.ReconnectMax, surroundings.Random);
        _desk = new CommandDesk(driver, options, surroundings.Time, surroundings.Log);
    }

    /// <summary>The number of the open session, or 0.</summary>
    public long Session => Volatile.Read(ref _session);

    /// <summary>Commands of older sessions and over the bound.</summary>
    public long CommandsDropped => _desk.Dropped;

    /// <summary>Until stopped. It then says good-bye and waits for what is at work; the driver is left to the caller.</summary>
    public async Task Run(CancellationToken stop)
    {
        await _driver.Resume(stop);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await Task.Delay(await Attempt(stop), _time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked for.
        }
        await _desk.Close();
    }

    /// <summary>After the end of <see cref="Run"/>.</summary>
    public void Dispose() => _desk.Dispose();

    /// <summary>One session from hello to end; how long to stay away after it.</summary>
    async Task<TimeSpan> Attempt(CancellationToken stop)
    {
        var began = _time.GetTimestamp();
        try
        {
            await using var stream = await _link.Open(stop);
            await Serve(stream, stop);
            return _backoff.Next();
        }
        catch (Exception error) when (error is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            if (_time.GetElapsedTime(began) >= GoodSession)
            {
                _backoff.Reset();
            }
            var pause = _backoff.Next((error as LinkEndedException)?.ComeAgain);
            if (error is LinkEndedException or TimeoutException or FramesLostException)
            {
                AgentLog.SessionEnded(_log, _host, error.Message, pause);
            }
            else
            {
                AgentLog.SessionFailed(_log, error, _host, pause);
            }
            return pause;
        }
    }

    async Task Serve(IAgentStream stream, CancellationToken stop)
    {
        var inventory = await _driver.Snapshot(stop);
        var fenced = _driver.Fenced;
        var hello = new OpenSession(_driver.Kind, Version, fenced, inventory);
        await stream.Send(new LinkParcel(new AgentHello(_host, Parcels.Protocol, hello)), stop);
        var opened = await stream.Receive(stop).WaitAsync(_options.AnswerTakesMax, _time, stop) switch
        {
            { Word: SessionOpened word } => word,
            { Word: ComeAgain away } => throw Away(away),
            { Word: var other } => throw new LinkEndedException($"{other.GetType().Name} is no answer to a hello"),
        };
        if (!fenced)
        {
            await _driver.Fences(opened.Fences, stop);
        }
        _desk.Attach(opened.Session);
        Volatile.Write(ref _session, opened.Session);
        AgentLog.SessionOpen(_log, _host, opened.Session, _driver.Kind, inventory.Devices.Count);
        try
        {
            var frames = new FrameReports(_driver, stream, opened.Session, _options, _time);
            await Together.Run(
                stop,
                end => Receive(stream, frames, end),
                end => frames.Run(inventory.StreamEpoch, inventory.LastSeq, end),
                end => SendCompletions(stream, opened.Session, end));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await SayGoodBye(stream, opened.Session);
            throw;
        }
        finally
        {
            Volatile.Write(ref _session, 0);
        }
    }

    async Task Receive(IAgentStream stream, FrameReports frames, CancellationToken end)
    {
        while (true)
        {
            var parcel = await stream.Receive(end);
            switch (parcel.Word)
            {
                case HandCommand hand:
                    _desk.Take(parcel.Session, hand.Command);
                    break;
                case CompletionTaken taken:
                    _desk.Acknowledge(taken.CommandId);
                    break;
                case FramesStored stored when frames.Stored(stored):
                    break;
                case ComeAgain away:
                    throw Away(away);
                default:
                    throw new LinkEndedException($"{parcel.Word.GetType().Name} was not expected");
            }
        }
    }

    async Task SendCompletions(IAgentStream stream, long session, CancellationToken end)
    {
        while (true)
        {
            foreach (var completion in await _desk.NextToSend(end))
            {
                await stream.Send(
                    new LinkParcel(new ReportCompletion(session, completion), session, completion.CommandId), end);
            }
        }
    }

    /// <summary>So that the cluster knows at once, and does not have to find out. Without it, it finds out.</summary>
    async Task SayGoodBye(IAgentStream stream, long session)
    {
        using var patience = new CancellationTokenSource(_options.StopTakesMax, _time);
        try
        {
            await stream.Send(new LinkParcel(new CloseSession(session, "the agent stops"), session), patience.Token);
            await stream.Finish(patience.Token);
            while (true)
            {
                await stream.Receive(patience.Token);
            }
        }
        catch (LinkEndedException)
        {
            // The node has heard it and ended the stream.
        }
        catch (OperationCanceledException)
        {
            AgentLog.NoGoodBye(_log, _host, "no answer in time");
        }
    }

    static LinkEndedException Away(ComeAgain away) =>
        new(away.Reason, TimeSpan.FromMilliseconds(Math.Clamp(away.AfterMilliseconds, 0, 60_000)));
}

/// <summary>What an agent needs of the world.</summary>
public sealed record AgentSurroundings(TimeProvider Time, Random Random, ILogger Log);
