using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using ControlPlane.Host.Security;
using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Whom a process joins, and how it speaks.</summary>
/// <param name="Addresses">HOST:PORT; none: the database tells who is there.</param>
/// <param name="CertifiedUntil">It has a certificate until then, and speaks by TLS; null: in the clear.</param>
sealed record SeedNodes(IReadOnlyList<string> Addresses, DateTimeOffset? CertifiedUntil);

/// <summary>
/// Brings this process into the cluster and says every second that it is there. It ends the process when its peers went on
/// without it, or when a later cluster was founded in the same database.
/// </summary>
sealed partial class Membership(
    Func<ActorSystem> system, SeedNodes seeds, MemberTable table, Departure departure,
    TimeProvider time, ILogger<Membership> log) : BackgroundService
{
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _seen;
    volatile int _wire = 1;
    bool _answered;

    /// <summary>This process is a member that is up.</summary>
    public bool Joined => _joined.Task.IsCompletedSuccessfully;

    /// <summary>Since the database last answered a heartbeat; before that, since the start and <see cref="CutOff.AtStart"/> longer.</summary>
    public TimeSpan DatabaseSilent => time.GetElapsedTime(Interlocked.Read(ref _seen)) + (Volatile.Read(ref _answered) ? TimeSpan.Zero : CutOff.AtStart);

    /// <summary>The wire version that all members may speak, as last heard. It never falls.</summary>
    public int Wire => _wire;

    /// <summary>The newest that this process may speak.</summary>
    public int WireMax => table.Wire;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        Interlocked.Exchange(ref _seen, time.GetTimestamp());
        var cluster = Cluster.Get(system());
        var (address, uid) = (MemberTable.AddressOf(cluster.SelfAddress), (long)cluster.SelfUniqueAddress.Uid);
        cluster.RegisterOnMemberUp(() => _joined.TrySetResult());
        var founding = await Enter(cluster, address, uid, stoppingToken);
        using var tick = new PeriodicTimer(Numbers.HeartbeatEvery, time);
        while (!stoppingToken.IsCancellationRequested)
        {
            // Before a peer sees it: the engine ends whoever calls a node with a bad certificate.
            if (time.GetUtcNow() >= seeds.CertifiedUntil - Pki.ClockMayDiffer)
            {
                departure.Now($"its certificate ends at {seeds.CertifiedUntil:u}; controlplane pki node makes another");
            }
            try
            {
                var heard = await Beat(address, uid, stoppingToken);
                if (heard.Wire > table.Wire)
                {
                    departure.Now($"the cluster speaks wire version {heard.Wire}, and this node may speak {table.Wire} at most");
                }
                _wire = heard.Wire;
                if (heard.Removed)
                {
                    departure.Now("its peers went on without it");
                }
                else if (heard.Founding != founding)
                {
                    departure.Now("a later cluster was founded in this database");
                }
            }
            catch (Exception away) when (Away(away, stoppingToken))
            {
                LogAway(log, away.Message);
            }
            await tick.WaitForNextTickAsync(stoppingToken);
        }
    }

    async Task<Heard> Beat(string address, long uid, CancellationToken stop)
    {
        var heard = await table.Beat(address, uid, Joined, stop);
        Interlocked.Exchange(ref _seen, time.GetTimestamp());
        Volatile.Write(ref _answered, true);
        return heard;
    }

    /// <summary>After the leave: nobody needs to wait for this process.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        var self = Cluster.Get(system()).SelfUniqueAddress;
        try
        {
            await table.Remove(MemberTable.AddressOf(self.Address), self.Uid, cancellationToken);
        }
        catch (Exception away) when (Away(away, cancellationToken))
        {
            LogAway(log, away.Message); // its row ages instead
        }
    }

    /// <summary>Asks the database until there is somebody to join, or this process is the first; answers the founding's number.</summary>
    async Task<long> Enter(Cluster cluster, string address, long uid, CancellationToken stop)
    {
        List<string> gone = [];
        while (true)
        {
            try
            {
                if (seeds.Addresses.Count > 0)
                {
                    return await table.Register(address, uid, stop); // the engine joins them by itself
                }
                switch (await table.Enter(address, uid, gone, stop))
                {
                    case Way.Found(var number):
                        LogFounded(log, number);
                        cluster.Join(cluster.SelfAddress);
                        return number;
                    case Way.Join(var addresses, var number):
                        LogJoining(log, string.Join(", ", addresses));
                        if (await Join(cluster, addresses, address, uid, stop))
                        {
                            return number;
                        }
                        break;
                    case Way.Wait(var silent):
                        gone = await Unanswered(silent, stop);
                        break;
                }
            }
            catch (Exception away) when (Away(away, stop))
            {
                LogAway(log, away.Message);
            }
            await Task.Delay(Numbers.JoinAgain, time, stop);
        }
    }

    /// <summary>False: none of them let it in; they may have ended meanwhile.</summary>
    async Task<bool> Join(Cluster cluster, IReadOnlyList<string> addresses, string address, long uid, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(Numbers.JoinMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            var joining = cluster.JoinSeedNodesAsync(
                addresses.Select(other => Address.Parse($"{cluster.SelfAddress.Protocol}://{EngineOptions.SystemName}@{other}")), either.Token);
            // It can take long when a member is out of reach, and who is silent meanwhile seems to be cut from the database.
            while (await Task.WhenAny(joining, Task.Delay(Numbers.HeartbeatEvery, time, CancellationToken.None)) != joining)
            {
                await BeatOrSay(address, uid, stop);
            }
            await joining;
            return true;
        }
        catch (Exception failure) when (failure is ClusterJoinFailedException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            LogNotLetIn(log, await InTheClear(addresses, stop) ?? failure.Message);
            return false;
        }
    }

    async Task BeatOrSay(string address, long uid, CancellationToken stop)
    {
        try
        {
            await Beat(address, uid, stop);
        }
        catch (Exception away) when (Away(away, stop))
        {
            LogAway(log, away.Message);
        }
    }

    /// <summary>The reason, if it is that these speak by TLS and this process cannot; null: it is another.</summary>
    async Task<string?> InTheClear(IReadOnlyList<string> addresses, CancellationToken stop)
    {
        foreach (var address in seeds.CertifiedUntil is null ? addresses : [])
        {
            if (await TlsKnock.SpeaksTls(address, time, stop))
            {
                return $"{address} speaks by TLS, and this node has no certificate: it needs --certificates";
            }
        }
        return null;
    }

    /// <summary>Which of these addresses refuse a connection: a process that ended; one that does not answer at all may only be cut off.</summary>
    async Task<List<string>> Unanswered(IReadOnlyList<string> addresses, CancellationToken stop)
    {
        var gone = new List<string>();
        foreach (var address in addresses)
        {
            var at = address.LastIndexOf(':');
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address[..at], int.Parse(address[(at + 1)..], System.Globalization.CultureInfo.InvariantCulture), stop)
                    .AsTask().WaitAsync(Numbers.KnockMax, time, stop);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                gone.Add(address);
            }
            catch (Exception silence) when (silence is SocketException or TimeoutException)
            {
                // Not known: its row decides by its age.
            }
        }
        return gone;
    }

    static bool Away(Exception error, CancellationToken stop) =>
        (error is NpgsqlException or TimeoutException or OperationCanceledException) && !stop.IsCancellationRequested;

    [LoggerMessage(1, LogLevel.Information, "Nobody is there: this node begins cluster {Number}")]
    static partial void LogFounded(ILogger logger, long number);

    [LoggerMessage(2, LogLevel.Information, "Joining {Addresses}")]
    static partial void LogJoining(ILogger logger, string addresses);

    [LoggerMessage(3, LogLevel.Warning, "No member let this node in ({Reason}); asking again who is there")]
    static partial void LogNotLetIn(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Warning, "The database did not take this node's heartbeat: {Reason}")]
    static partial void LogAway(ILogger logger, string reason);
}
