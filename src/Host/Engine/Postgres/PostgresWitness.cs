using System.Text.Json;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>What a node has seen with its own eyes of the database it works on.</summary>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="System">The server's system identifier.</param>
/// <param name="Timeline">The highest timeline.</param>
/// <param name="LossNo">Losses of data that operators had accepted by then.</param>
/// <param name="PersistenceId">Whose event was acknowledged last by this node; null: none yet.</param>
sealed record Seen(Guid Cluster, long System, int Timeline, long LossNo, string? PersistenceId, long SequenceNr, string? Writer);

/// <summary>
/// The node's own memory of the last commit that it acknowledged, and of where. A fail-over to a server that lags behind
/// cuts off the end of the history, so if this row is there, everything that the node acknowledged before it is there too.
/// It is also kept in a file, so that a node that was restarted meanwhile notices a loss as well; the file may lag by a
/// second, and a crash may cost that second.
/// </summary>
sealed class PostgresWitness : IDisposable
{
    static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

    readonly string _file;
    readonly Lock _lock = new();
    readonly Lock _saving = new();
    readonly ITimer _timer;
    (int Timeline, long At) _failover;
    Seen? _seen;
    Seen? _saved;

    public PostgresWitness(string file)
    {
        _file = file;
        _saved = _seen = Load(file);
        _timer = TimeProvider.System.CreateTimer(_ => Save(), null, SaveEvery, SaveEvery);
    }

    public Seen? Seen
    {
        get
        {
            lock (_lock)
            {
                return _seen;
            }
        }
    }

    /// <summary>This node has seen a loss: what its entities have in memory is not in the journal, so only a restart mends it.</summary>
    public string? Lost { get; private set; }

    /// <summary>How long ago a higher timeline was first met; nothing at the first time.</summary>
    public TimeSpan SinceFailover(int timeline)
    {
        lock (_lock)
        {
            if (_failover.Timeline != timeline)
            {
                _failover = (timeline, TimeProvider.System.GetTimestamp());
            }
            return TimeProvider.System.GetElapsedTime(_failover.At);
        }
    }

    public void Lose(string how) => Lost ??= how;

    /// <summary>The database was found in order.</summary>
    public void Saw(Guid cluster, long system, int timeline, long lossNo)
    {
        lock (_lock)
        {
            // After an accepted loss the last row may be one that is gone.
            _seen = _seen is { } seen && seen.Cluster == cluster && seen.LossNo == lossNo
                ? seen with { System = system, Timeline = timeline }
                : new Seen(cluster, system, timeline, lossNo, null, 0, null);
        }
    }

    /// <summary>A commit is durable and is being acknowledged.</summary>
    public void Acknowledged(Akka.Persistence.Sql.Journal.Types.JournalRow last)
    {
        lock (_lock)
        {
            if (_seen is { } seen)
            {
                _seen = seen with { PersistenceId = last.PersistenceId, SequenceNr = last.SequenceNumber, Writer = last.WriterUuid };
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Save();
    }

    /// <exception cref="PostgresRefusedException">The file is damaged: what this node has seen is not known.</exception>
    static Seen? Load(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), WitnessJson.Default.Seen);
        }
        catch (JsonException damage)
        {
            throw new PostgresRefusedException(
                "postgres.witness", $"{file} is damaged: {damage.Message}", "Delete it if no commit can have been lost; it is made anew.");
        }
    }

    void Save()
    {
        lock (_saving)
        {
            if (Seen is not { } seen || seen == _saved)
            {
                return;
            }
            try
            {
                var fresh = _file + ".new";
                using (var stream = new FileStream(fresh, FileMode.Create, FileAccess.Write))
                {
                    JsonSerializer.Serialize(stream, seen, WitnessJson.Default.Seen);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(fresh, _file, overwrite: true);
                _saved = seen;
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                // The next second tries again; in memory it is up to date.
            }
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Seen))]
sealed partial class WitnessJson : System.Text.Json.Serialization.JsonSerializerContext;
