using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Shell;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// Who watches a run: at each row that is stored, each answer, each command of a host. It follows the journal with cores
/// of its own, so that what is stored is also replayed, row by row, as it is stored.
/// </summary>
sealed class Check(World world)
{
    readonly SortedDictionary<EntityId, IEntityCore> _followers = [];
    readonly Dictionary<EntityId, int> _lastWriter = [];
    readonly Dictionary<(EntityId, string), (long Sequence, int Incarnation)> _messages = [];
    readonly Dictionary<(EntityId, string), StoredAnswer> _answers = [];
    readonly HashSet<(EntityId, string)> _sent = [];
    readonly Dictionary<(EntityId, string), DateTimeOffset> _deadlines = [];
    readonly HashSet<string> _issued = new(StringComparer.Ordinal);
    readonly HashSet<string> _shards = new(StringComparer.Ordinal);
    readonly MigrationCheck _migrations = new(world);
    bool _fellBack;

    /// <summary>The first that was found: the run ends with it.</summary>
    public Violation? Found { get; private set; }

    public DataPathCheck DataPath { get; } = new(world);

    public ClusterCheck Cluster { get; } = new(world);

    public IReadOnlyCollection<string> Shards => _shards;

    public IEnumerable<KeyValuePair<EntityId, IEntityCore>> Followers => _followers;

    public void Violate(Violation violation)
    {
        if (Found is null)
        {
            world.Say(violation.ToString());
            Found = violation;
        }
    }

    public void Violate(string invariant, string what) => Violate(new Violation(RunEnd.Unsafe, invariant, what));

    /// <summary>The state that follows from what is stored.</summary>
    public T? State<T>(EntityId id)
        where T : class => _followers.TryGetValue(id, out var core) ? States.Of(core) as T : null;

    /// <summary>Entities of the shard that owe something, by what is stored.</summary>
    public IEnumerable<EntityId> Owing(string shard) =>
        [.. _followers.Where(pair => pair.Value.HasOpenWork && World.ShardOf(pair.Key) == shard).Select(pair => pair.Key)];

    /// <summary>The journal has lost its last writes: what it says now is the truth, and hosts may know more.</summary>
    public void FellBack()
    {
        _fellBack = true;
        _followers.Clear();
        _lastWriter.Clear();
        _messages.Clear();
        _answers.Clear();
        DataPath.FellBack();
        Cluster.FellBack();
        foreach (var row in world.Journal.Entities.SelectMany(world.Journal.Rows))
        {
            Follow(row);
        }
    }

    public void Sent(Envelope envelope)
    {
        _sent.Add((envelope.To, envelope.MessageId));
        if (envelope.Deadline is { } deadline && deadline > _deadlines.GetValueOrDefault((envelope.To, envelope.MessageId)))
        {
            _deadlines[(envelope.To, envelope.MessageId)] = deadline;
        }
    }

    public void Stored(StoredEvent row, Writer writer)
    {
        var id = row.Entity;
        world.Say($"{id}#{row.Sequence} {row.Name} by life {writer.Incarnation}{(row.MessageId is null ? "" : " for " + row.MessageId)}");
        _shards.Add(World.ShardOf(id));
        Cluster.Stored(row, writer);
        if (writer.Incarnation < _lastWriter.GetValueOrDefault(id))
        {
            Violate("I4", $"{id}#{row.Sequence}: life {writer.Incarnation} appends after life {_lastWriter[id]} did");
        }
        _lastWriter[id] = writer.Incarnation;
        if (row.MessageId is { } message)
        {
            // One that is forgotten and refused now has changed nothing.
            if (row.Event is not RequestRefused && !_messages.TryAdd((id, message), (row.Sequence, writer.Incarnation)))
            {
                Violate("I6", $"{id}#{row.Sequence}: message {message} was executed before, at {_messages[(id, message)].Sequence}");
            }
            if (!_sent.Contains((id, message)))
            {
                Violate("I8", $"{id}#{row.Sequence}: nobody sent message {message}");
            }
            if (_deadlines.TryGetValue((id, message), out var deadline) && row.At > deadline)
            {
                Violate("I31", $"{id}#{row.Sequence}: {message} was to be done by {deadline:O}, and was decided at {row.At:O}");
            }
        }
        foreach (var answer in row.Answers)
        {
            _answers[(id, answer.MessageId)] = answer;
        }
        Follow(row);
    }

    /// <summary>I9: an incarnation says that a change is not stored, and it has stored it.</summary>
    public void Said(Answer answer, int incarnation)
    {
        if (answer.Refusal?.Code == "journal.rejected" && _messages.TryGetValue((answer.From, answer.InReplyTo), out var stored) && stored.Incarnation == incarnation)
        {
            Violate("I9", $"{answer.From}: {answer.InReplyTo} is stored at {stored.Sequence}, and was answered {answer.Refusal.Detail}");
        }
    }

    /// <summary>Somebody outside was answered.</summary>
    public void Answered(Envelope asked, Answer answer)
    {
        if (answer.Refusal is { Transient: true } or { Kind: RefusalKind.Expired } || asked.DryRun || answer.Refusal?.Code == "idempotency.mismatch" || asked.Body is IRepeatable)
        {
            return;
        }
        if (answer.Sequence > world.Journal.Rows(asked.To).Count)
        {
            Violate("I7", $"{asked.To}: {asked.MessageId} was answered at {answer.Sequence}, but {world.Journal.Rows(asked.To).Count} events are stored");
        }
        else if (_answers.GetValueOrDefault((asked.To, asked.MessageId)) is not { } stored)
        {
            Violate("I7", $"{asked.To}: the answer to {asked.MessageId} is not stored: {answer.Reply ?? (object?)answer.Refusal}");
        }
        else if (!stored.Payload.Span.SequenceEqual(StoredAnswer.Of(asked.MessageId, answer.Reply, answer.Refusal).Payload.Span))
        {
            Violate("I6", $"{asked.To}: {asked.MessageId} was answered {answer.Reply ?? (object?)answer.Refusal}, stored is another answer");
        }
    }

    /// <summary>A host's command is about to be carried out.</summary>
    public void Commanded(string host, DriverCommand command)
    {
        world.Say($"{host}: {command.Verb} {command.NicKey} {command.Port} epoch {command.Epoch} revision {command.Revision} ({command.CommandId})");
        if (command.Verb != DriverVerb.PlantFault && !_issued.Contains(command.CommandId))
        {
            Violate("I28", $"{host} was told {command.CommandId}, which is not stored");
        }
        if (command.NicKey.Length > 0 && EntityId.Parse(command.NicKey) is { } nic && State<NicState>(nic) is { } state && command.Epoch > state.Epoch)
        {
            Violate("I19", $"{host} was told epoch {command.Epoch} of {nic}, stored is {state.Epoch}");
        }
        DataPath.Commanded(host, command);
    }

    public void Completed(string host, DriverCommand command, Completion completion) => DataPath.Completed(host, command, completion);

    public void Waiting(EntityId id, int waiting)
    {
        if (waiting > Mutants.Limits(id.Kind).StashMax)
        {
            Violate("I29", $"{waiting} messages wait in {id}");
        }
    }

    public void Fault(EntityId id, FaultKind kind, string reason)
    {
        world.Say($"{id} cannot be served ({kind}): {reason}");
        Violate(kind == FaultKind.Defect ? "no defect" : "I11", $"{id} cannot be served ({kind}): {reason}");
    }

    void Follow(StoredEvent row)
    {
        if (!_followers.TryGetValue(row.Entity, out var follower))
        {
            follower = _followers[row.Entity] = Mutants.Core(Mutant.None, row.Entity);
        }
        var was = States.Of(follower);
        var before = was as BridgeState;
        try
        {
            follower.Step(new Input.Replay(Journal.AsRead(row)), row.At);
        }
        catch (Exception defect) when (defect is CorruptHistoryException or UnknownWordException or InvalidOperationException)
        {
            Violate("I11", $"{row.Entity}#{row.Sequence} does not follow: {defect.Message}");
            return;
        }
        if (row.Who.StartsWith(AgentPrefix, StringComparison.Ordinal) && row.Who[AgentPrefix.Length..] is var host && !Concerns(host, row, was, States.Of(follower)))
        {
            Violate("I43", $"{row.Entity}#{row.Sequence} {row.Name}: the agent of {host} changed what is not on that host (cause {row.Cause}, correlation {row.Correlation})");
        }
        _migrations.Follow(row, was, States.Of(follower));
        switch (row.Event)
        {
            case CommandIssued issued:
                _issued.Add(issued.Command.CommandId);
                break;
            case FrameRecorded(var frame):
                DataPath.Recorded(row.Entity.Parts[0], frame, before!);
                break;
            case NicDeleteReceived when was is NicState { BodyOrNull.Drain: { Open: false } drain }:
                Violate("switch.md 3.6 G3", $"{row.Entity}#{row.Sequence}: NIC_DELETE although {drain.InWords}");
                break;
            case PortDeleteReceived when was is PortState { BodyOrNull.Drain: { Open: false } drain }:
                Violate("switch.md 3.6 G4", $"{row.Entity}#{row.Sequence}: PORT_DELETE although {drain.InWords}");
                break;
            case UnknownCommandSeen seen when !_fellBack:
                Violate("I19", $"{row.Entity} was shown {seen}");
                break;
            case Parked parked:
                Violate("no defect", $"{row.Entity} is parked by {parked}");
                break;
        }
        if (States.Of(follower) is BridgeState after && before is not null
            && (after.StreamEpoch, after.Cursor).CompareTo((before.StreamEpoch, before.Cursor)) < 0)
        {
            Violate("I25", $"{row.Entity}#{row.Sequence}: the cursor fell from {before.StreamEpoch}:{before.Cursor} to {after.StreamEpoch}:{after.Cursor}");
        }
    }

    const string AgentPrefix = "agent:";

    /// <summary>Ends of migrations that an agent's report turned around, with its correlation.</summary>
    readonly HashSet<(string Correlation, string Host)> _turned = [];

    /// <summary>
    /// It is about what is on the host, before it or after it; or it changed nothing. What a host reports may turn a migration
    /// around of which it is one end, and that has work at the other; which may bring about the same there.
    /// </summary>
    bool Concerns(string host, StoredEvent row, object was, object state)
    {
        var concerns = IsOn(host, row, was, state)
            || _turned.Any(turned => turned.Correlation == row.Correlation && turned.Host != host && IsOn(turned.Host, row, was, state));
        if (concerns && row.Entity.Kind == "migration" && ((MigrationState)state).RunOrNull is { } run)
        {
            _turned.Add((row.Correlation, run.Host(MigrationSide.Source)));
            _turned.Add((row.Correlation, run.Host(MigrationSide.Destination)));
        }
        return concerns;
    }

    static bool IsOn(string host, StoredEvent row, object was, object state) => row.Entity.Kind switch
    {
        "nic" => row.Event is RequestNoted or RequestRefused || HostOf(was) == host || HostOf(state) == host,
        "vm" => row.Event is RequestNoted or RequestRefused || (was as VmState)?.DefinitionOrNull?.Host == host
            || (state as VmState)?.DefinitionOrNull?.Host == host,
        "migration" => row.Event is RequestNoted or RequestRefused
            || ((MigrationState)state).RunOrNull is not { } run || run.Host(MigrationSide.Source) == host || run.Host(MigrationSide.Destination) == host,
        _ => row.Entity.Parts[0] == host,
    };

    static string? HostOf(object state) => (state as NicState)?.BodyOrNull?.Place.Host;
}
