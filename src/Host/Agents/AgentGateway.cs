using System.Globalization;
using ControlPlane.Agent;
using ControlPlane.Agent.Link;
using ControlPlane.Agent.Wire;
using ControlPlane.Messages;
using Grpc.Core;

namespace ControlPlane.Host.Agents;

/// <summary>
/// The node's end of the agents' streams: it asks the host's bridge for a session and then carries words both ways.
/// It decides nothing: what a session, a frame or a completion means, the bridge says, wherever it lives.
/// </summary>
sealed class AgentGateway(
    IEntityAsk entities, AgentStreams streams, OpeningGuard guard, AgentGatewaySurroundings world) : AgentLink.AgentLinkBase
{
    static readonly TimeSpan SoonAgain = TimeSpan.FromMilliseconds(500);

    // An agent that does not read cannot be told to go; its connection is cut instead.
    static readonly TimeSpan LastWordMax = TimeSpan.FromSeconds(2);

    public override async Task Connect(
        IAsyncStreamReader<Parcel> requestStream, IServerStreamWriter<Parcel> responseStream, ServerCallContext context)
    {
        var certified = AgentAdmission.Admit(context.GetHttpContext(), world.Options);
        var hello = await Hello(requestStream, context.CancellationToken);
        if (certified.NotFor(hello.Host) is { } reason)
        {
            streams.CountRefused();
            GatewayLog.Refused(world.Log, hello.Host, reason);
            throw AgentAdmission.Denied(reason);
        }
        var stream = guard.SendAway(hello.Host) is { } away
            ? await Refuse(responseStream, hello.Host, away, "too many streams in a short time")
            : streams.Begin(hello.Host) ?? await Refuse(responseStream, hello.Host, TimeSpan.FromSeconds(5), "this node has all agents that it takes");
        if (stream is null)
        {
            return;
        }
        try
        {
            await using var expiry = certified.EndOf(world.Time, reason => stream.End(reason, SoonAgain));
            using var stopping = world.Lifetime.ApplicationStopping.Register(() => stream.End("the node stops", SoonAgain));
            if (await Open(stream, hello.Open, responseStream, context.CancellationToken))
            {
                await Serve(stream, requestStream, responseStream, context);
            }
        }
        finally
        {
            streams.Remove(stream);
        }
    }

    /// <summary>The first word, checked; what is wrong with it ends the stream with the reason.</summary>
    async Task<AgentHello> Hello(IAsyncStreamReader<Parcel> requests, CancellationToken stop)
    {
        bool arrived;
        try
        {
            arrived = await requests.MoveNext(stop).WaitAsync(world.Options.HelloMax, world.Time, stop);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, "no hello came"));
        }
        var word = arrived ? Read(requests.Current).Word : null;
        if (word is not AgentHello hello)
        {
            throw Wrong("the first word is a hello");
        }
        if (hello.Protocol != Parcels.Protocol)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"link protocol {hello.Protocol} is not spoken here; {Parcels.Protocol} to {Parcels.Protocol} are"));
        }
        if (!Names.IsName(hello.Host) || hello.Open?.Inventory is not { Switches: not null, Devices: { } devices } || devices.Any(device => device is null))
        {
            throw Wrong("a hello has the name of a host and its inventory");
        }
        var twice = devices.Where(device => !string.IsNullOrEmpty(device.NicKey)).GroupBy(device => device.NicKey).FirstOrDefault(same => same.Count() > 1);
        return twice is null ? hello : throw Wrong($"the inventory has two devices of {twice.Key}");
    }

    async Task<bool> Open(AgentStream stream, OpenSession open, IServerStreamWriter<Parcel> responses, CancellationToken stop)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"open:{world.Options.Instance}:{world.NextOpening()}");
        var answer = await Ask(stream.Host, id, open, stop);
        if (answer.Reply is not SessionOpened opened)
        {
            await Refuse(responses, stream.Host, TimeSpan.FromSeconds(1), answer.Refusal?.Detail ?? "the bridge opened no session");
            return false;
        }
        if (!streams.Opened(stream, opened.Session))
        {
            await Refuse(responses, stream.Host, TimeSpan.FromSeconds(1), $"session {opened.Session} is not the newest");
            return false;
        }
        await responses.WriteAsync(Parcels.ToWire(new LinkParcel(opened, opened.Session)), stop);
        GatewayLog.Opened(world.Log, stream.Host, opened.Session);
        return true;
    }

    async Task Serve(
        AgentStream stream, IAsyncStreamReader<Parcel> requests, IServerStreamWriter<Parcel> responses, ServerCallContext context)
    {
        var reports = new AgentReports(stream, (id, body, stop) => Ask(stream.Host, id, body, stop), world);
        var reason = "the agent went away";
        try
        {
            await Together.Run(
                context.CancellationToken,
                end => Receive(requests, reports, end),
                end => Send(stream, responses, end),
                end => Together.Until(stream.Ended, end),
                reports.Frames,
                reports.Completions);
            if (stream.Ended.IsCompletedSuccessfully)
            {
                var away = await stream.Ended;
                reason = away.Reason;
                await responses.WriteAsync(Parcels.ToWire(new LinkParcel(away, stream.Session)), CancellationToken.None)
                    .WaitAsync(LastWordMax, world.Time, context.CancellationToken);
            }
            else
            {
                reason = reports.GoodBye ?? reason;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException or TimeoutException)
        {
            // The connection broke, or the last word could not be written to an agent that does not read.
            reason = $"the connection ended: {error.Message}";
            context.GetHttpContext().Abort();
        }
        catch (RpcException error)
        {
            reason = error.Status.Detail;
            throw;
        }
        finally
        {
            GatewayLog.Ended(world.Log, stream.Host, stream.Session, reason);
            await Close(stream, reason);
        }
    }

    static async Task Receive(IAsyncStreamReader<Parcel> requests, AgentReports reports, CancellationToken end)
    {
        while (await requests.MoveNext(end))
        {
            await reports.Take(Read(requests.Current), end);
            if (reports.GoodBye is not null)
            {
                return;
            }
        }
    }

    /// <summary>A write is not cancelled, which would end the call; only the waiting for it is.</summary>
    static async Task Send(AgentStream stream, IServerStreamWriter<Parcel> responses, CancellationToken end)
    {
        while (await stream.Outgoing.WaitToReadAsync(end))
        {
            while (stream.Outgoing.TryRead(out var parcel))
            {
                if (parcel.Session == stream.Session)
                {
                    await responses.WriteAsync(Parcels.ToWire(parcel), CancellationToken.None).WaitAsync(end);
                }
            }
        }
    }

    /// <summary>The bridge should know at once that nobody carries out its commands; if it is not told, the next hello tells it.</summary>
    async Task Close(AgentStream stream, string reason)
    {
        if (stream.OverAtBridge)
        {
            return;
        }
        var answer = await Ask(
            stream.Host, string.Create(CultureInfo.InvariantCulture, $"{stream.Session}:closed"),
            new CloseSession(stream.Session, reason), CancellationToken.None);
        if (answer.Refusal is { } refusal)
        {
            GatewayLog.EndNotTold(world.Log, stream.Host, stream.Session, refusal.Detail);
        }
    }

    async Task<AgentStream?> Refuse(IServerStreamWriter<Parcel> responses, string host, TimeSpan away, string reason)
    {
        streams.CountRefused();
        GatewayLog.Refused(world.Log, host, reason);
        await responses.WriteAsync(
            Parcels.ToWire(new LinkParcel(new ComeAgain((int)away.TotalMilliseconds, reason))), CancellationToken.None);
        return null;
    }

    Task<Answer> Ask(string host, string id, Command body, CancellationToken stop) => entities.Ask(
        new Envelope(EntityId.Bridge(host), $"agent:{host}:{id}", $"agent:{host}", $"agent:{host}:{id}", body), world.Options.AskMax, stop);

    static LinkParcel Read(Parcel wire)
    {
        try
        {
            return Parcels.FromWire(wire);
        }
        catch (MalformedParcelException error)
        {
            throw Wrong(error.Message);
        }
    }

    static RpcException Wrong(string reason) => new(new Status(StatusCode.InvalidArgument, reason));
}

/// <summary>What the gateway needs of the world. One per node.</summary>
sealed class AgentGatewaySurroundings(
    AgentGatewayOptions options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<AgentGateway> log)
{
    long _openings;

    public AgentGatewayOptions Options => options;

    public TimeProvider Time => time;

    public IHostApplicationLifetime Lifetime => lifetime;

    public ILogger Log => log;

    public long NextOpening() => Interlocked.Increment(ref _openings);
}
