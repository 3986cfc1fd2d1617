using System.Collections.Concurrent;
using Akka.Actor;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Host.Projections;

/// <summary>
/// Entities that this node could not serve. No event tells of it, as such an entity cannot write any: what is kept here
/// is this process's knowledge, bounded, and gone with it, or when the entity stores something again.
/// </summary>
sealed class EntityFaults(ActorSystem system, JournalHealth journal, TimeProvider time) : IHostedService
{
    const int EntitiesMax = 1_000;

    readonly ConcurrentDictionary<string, Open> _open = new(StringComparer.Ordinal);
    IActorRef _inbox = ActorRefs.Nobody;

    public IEnumerable<AlarmRow> Alarms => _open.Values.Select(open => open.Alarm);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _inbox = system.ActorOf(Props.Create(() => new Inbox(Note)), "entity-faults");
        system.EventStream.Subscribe(_inbox, typeof(EntityFault));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        system.Stop(_inbox);
        return Task.CompletedTask;
    }

    public bool Has(string entity) => _open.ContainsKey(entity);

    /// <summary>An event of the entity that was stored after its fault: it is served again.</summary>
    public void Served(string entity, JournalPlace place)
    {
        if (_open.TryGetValue(entity, out var open) && place > open.After)
        {
            _open.TryRemove(new KeyValuePair<string, Open>(entity, open));
        }
    }

    void Note(EntityFault fault)
    {
        if (_open.Count >= EntitiesMax && !_open.ContainsKey(fault.Entity.Text))
        {
            return;
        }
        var now = time.GetUtcNow();
        var after = journal.Last;
        _open.AddOrUpdate(
            fault.Entity.Text, id => new Open(Row(id, fault, now), after), (id, known) => new Open(Row(id, fault, known.Alarm.Since), after));
    }

    static AlarmRow Row(string id, EntityFault fault, DateTimeOffset since) => new(
        id, $"entity.{fault.Kind switch
        {
            FaultKind.CorruptHistory => "corrupt",
            FaultKind.NeedsNewerNode => "needs-newer-node",
            FaultKind.Unreadable => "unreadable",
            _ => "defect",
        }}", "critical", since, fault.Reason, fault.Kind switch
        {
            FaultKind.CorruptHistory => "Its history is damaged: restore the journal from a copy. Nothing is written to it meanwhile.",
            FaultKind.NeedsNewerNode => "Start the newer release that wrote its history.",
            FaultKind.Unreadable => "Look at the journal's disk; the next request tries again.",
            _ => "The next request starts it anew; report the reason as a defect.",
        });

    /// <param name="After">What was stored when the entity failed.</param>
    sealed record Open(AlarmRow Alarm, JournalPlace After);

    sealed class Inbox : ReceiveActor
    {
        public Inbox(Action<EntityFault> note) => Receive(note);
    }
}
