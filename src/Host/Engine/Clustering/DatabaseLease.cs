using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Coordination;
using Akka.Hosting;
using Akka.Hosting.Coordination;
using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Gives a lease, which the engine makes by reflection, the tables that it works on.</summary>
sealed class LeaseWiring(LeaseTable table, TimeProvider time) : Setup
{
    public LeaseTable Table => table;

    public TimeProvider Time => time;
}

/// <summary>Names the lease to the engine; its settings are in <see cref="Numbers"/>.</summary>
sealed class DatabaseLeaseOption : LeaseOptionBase
{
    public override string ConfigPath => "akka.coordination.lease.database";

    public override Type Class => typeof(DatabaseLease);

    public override void Apply(AkkaConfigurationBuilder builder, Setup? setup = null)
    {
    }
}

/// <summary>
/// The lease by which the split-brain resolver lets one side of a partition go on. Its holder is an address and the uid
/// of the process behind it, so a process that was started again is another. It counts from before the request was sent, on
/// this process's monotonic clock; the database counts from when it answered, which is later.
/// </summary>
sealed class DatabaseLease(LeaseSettings settings, ExtendedActorSystem system) : Lease(settings), IDisposable
{
    readonly LeaseWiring _wiring = system.Settings.Setup.Get<LeaseWiring>().Value;
    readonly Lock _lock = new();
    Held? _held;

    string Name => Settings.LeaseName;

    string Owner { get; } = MemberTable.IdOf(Cluster.Get(system).SelfUniqueAddress);

    public override Task<bool> Acquire() => Acquire(null!);

    /// <summary>
    /// A database that is away for a moment, as in a restart, costs no node: it is asked again for a while. Not taken in
    /// that time means not had, and this side of the partition ends.
    /// </summary>
    public override async Task<bool> Acquire(Action<Exception> leaseLostCallback)
    {
        var began = _wiring.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var sent = _wiring.Time.GetTimestamp();
                if (await _wiring.Table.Acquire(Name, Owner, Numbers.LeaseTtl, CancellationToken.None) is { } token)
                {
                    Hold(new Held(this, token, sent, leaseLostCallback));
                    return true;
                }
                // A holder that lives renews: less than this left means that it ended holding it, and its time runs out.
                if (await _wiring.Table.Find(Name, CancellationToken.None) is not { } held || held.Owner == Owner || held.Left > Numbers.LeaseLeftMin)
                {
                    return false;
                }
            }
            catch (Exception away) when (Away(away) && _wiring.Time.GetElapsedTime(began) < Numbers.LeaseAcquireMax)
            {
                // As in a restart of the database; asked again below.
            }
            await Task.Delay(Numbers.LeaseAcquireAgain, _wiring.Time);
        }
    }

    public override async Task<bool> Release()
    {
        if (Hold(null) is { } held)
        {
            await _wiring.Table.Release(Name, Owner, held.Token, CancellationToken.None);
        }
        return true;
    }

    public override bool CheckLease()
    {
        lock (_lock)
        {
            return _held is { Valid: true };
        }
    }

    public void Dispose() => Hold(null);

    static bool Away(Exception error) => error is NpgsqlException or TimeoutException or OperationCanceledException;

    /// <summary>The former holding ends; answers it.</summary>
    Held? Hold(Held? held)
    {
        Held? before;
        lock (_lock)
        {
            (before, _held) = (_held, held);
        }
        before?.Dispose();
        return before;
    }

    /// <summary>One holding, renewed until it is given back or lost.</summary>
    sealed class Held : IDisposable
    {
        readonly DatabaseLease _lease;
        readonly Action<Exception>? _lost;
        readonly ITimer _renewing;
        long _since;
        int _busy;

        public Held(DatabaseLease lease, long token, long since, Action<Exception>? lost)
        {
            (_lease, Token, _since, _lost) = (lease, token, since, lost);
            _renewing = lease._wiring.Time.CreateTimer(_ => _ = Renew(), null, Numbers.LeaseRenewEvery, Numbers.LeaseRenewEvery);
        }

        public long Token { get; }

        public bool Valid => _lease._wiring.Time.GetElapsedTime(Interlocked.Read(ref _since)) < Numbers.LeaseTtl;

        public void Dispose() => _renewing.Dispose();

        async Task Renew()
        {
            if (Interlocked.Exchange(ref _busy, 1) == 1)
            {
                return;
            }
            var sent = _lease._wiring.Time.GetTimestamp();
            try
            {
                if (await _lease._wiring.Table.Renew(_lease.Name, _lease.Owner, Token, Numbers.LeaseTtl, CancellationToken.None))
                {
                    Interlocked.Exchange(ref _since, sent);
                }
                else
                {
                    Lose(new InvalidOperationException($"the lease {_lease.Name} is another's"));
                }
            }
            catch (Exception away) when (Away(away))
            {
                if (!Valid)
                {
                    Lose(away);
                }
            }
            finally
            {
                Volatile.Write(ref _busy, 0);
            }
        }

        void Lose(Exception why)
        {
            Dispose();
            Interlocked.Exchange(ref _since, long.MinValue / 2);
            _lost?.Invoke(why);
        }
    }
}
