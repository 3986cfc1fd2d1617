using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Persistence;
using Akka.Persistence.Sql;
using Akka.Persistence.Sql.Config;
using Akka.Persistence.Sql.Journal;
using Akka.Persistence.Sql.Journal.Dao;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// Akka.Persistence.Sql's journal with a write path of our own; replay, deletes, snapshots and the schema stay the
/// plugin's. Three things are different. Writes of many entities share one commit. The unique key (persistence id,
/// sequence number) fences: of two live incarnations of an entity one appends and the other alone fails, while the plugin
/// fails everybody in the same batch. And a failure says what it means: rolled back, deterministic, or unknown.
/// Selected by the key <c>class</c> of the plugin, see <see cref="JournalSettings"/>.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "PostStop disposes.")]
sealed class FencedSqlJournal : SqlWriteJournal
{
    readonly ConcurrentDictionary<string, Task> _underWay = new();
    readonly GroupCommit _commits;
    readonly EventRows _rows;
    readonly TimeProvider _time;
    readonly YieldedEntities _yielded;
    readonly string _writer;

    public FencedSqlJournal(Config journalConfig)
        : base(journalConfig)
    {
        var wiring = JournalWiring.Of(Context.System);
        var writer = _writer = wiring.NewWriterId();
        _yielded = JournalHealth.Of(Context.System).Yielded;
        var plugin = new JournalConfig(journalConfig.WithFallback(SqlPersistence.DefaultJournalConfiguration));
        var serializer = new ByteArrayJournalSerializer(
            plugin, Context.System.Serialization, plugin.PluginConfig.TagSeparator, writer);
        _time = wiring.Time;
        _rows = new EventRows(serializer, wiring.Limits);
        _commits = new GroupCommit(
            wiring.Dialect?.Invoke(writer, wiring.Limits, wiring.Faults) ?? new SqliteDialect(plugin.ConnectionString, wiring.Limits, wiring.Faults),
            wiring,
            JournalHealth.Of(Context.System),
            Context.GetLogger());
    }

    /// <summary>
    /// A restarted entity must not read its highest sequence number while its last write is still on its way: it would
    /// give the same number out again.
    /// </summary>
    public override async Task<long> ReadHighestSequenceNrAsync(
        string persistenceId, long fromSequenceNr, CancellationToken cancellationToken)
    {
        if (_underWay.TryGetValue(persistenceId, out var write))
        {
            // WhenAny: how it ended is its writer's business.
            await Task.WhenAny(write);
        }

        var highest = await base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr, cancellationToken);
        if (highest > 0)
        {
            _yielded.Yield(persistenceId);
        }

        return highest;
    }

    /// <summary>Sees whose the last event is. What a snapshot covers is not read, and counts as another's.</summary>
    public override async Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback)
    {
        var last = "";
        await base.ReplayMessagesAsync(context, persistenceId, fromSequenceNr, toSequenceNr, max, happened =>
        {
            last = happened.WriterGuid;
            recoveryCallback(happened);
        });
        if (last == _writer)
        {
            _yielded.Keep(persistenceId);
        }
    }

    protected override void PreStart()
    {
        base.PreStart();
        // The base class keeps every message until its tables exist, so this one arrives right after that.
        Self.Tell(TablesExist.Instance);
    }

    protected override void PostStop()
    {
        _commits.Dispose();
        base.PostStop();
    }

    protected override bool ReceivePluginInternal(object message)
    {
        if (message is not TablesExist)
        {
            return base.ReceivePluginInternal(message);
        }

        _commits.Start();
        return true;
    }

    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        var prepared = _rows.From(messages, _time.GetUtcNow().UtcTicks);
        if (prepared.Rows.Length == 0)
        {
            return Task.FromResult(prepared.Rejections)!;
        }

        var write = new PendingWrite(prepared.PersistenceId, prepared.Rows, cancellationToken);
        var answered = _commits.Write(write);
        // Two incarnations in one node share the id: a recovery waits for both.
        var underWay = _underWay.AddOrUpdate(
            write.PersistenceId, answered, (_, earlier) => Task.WhenAll(earlier, answered));
        return Answer(write.PersistenceId, answered, underWay, prepared.Rejections)!;
    }

    async Task<IImmutableList<Exception?>?> Answer(
        string persistenceId, Task answered, Task underWay, IImmutableList<Exception?>? rejections)
    {
        try
        {
            await answered;
            return rejections;
        }
        finally
        {
            if (!underWay.IsCompleted)
            {
                await Task.WhenAny(underWay);
            }

            _underWay.TryRemove(KeyValuePair.Create(persistenceId, underWay));
        }
    }

    sealed class TablesExist
    {
        public static readonly TablesExist Instance = new();
    }
}
