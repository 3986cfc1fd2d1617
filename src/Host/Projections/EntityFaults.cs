using System.Collections.Concurrent;
using Akka.Actor;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Host.Projections;

/// <summary>
/// Entities that this node could not serve. No event tells of it, as such an entity cannot write any: what is kept here
/// is this process's knowledge, bounded, and gone with it.
/// </summary>
sealed class EntityFaults(ActorSystem system, TimeProvider time) : IHostedService
{
    const int EntitiesMax = 1_000;

    readonly ConcurrentDictionary<string, AlarmRow> _open = new(StringComparer.Ordinal);
    IActorRef _inbox = ActorRefs.Nobody;

    public IEnumerable<AlarmRow> Open => _open.Values;

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

    void Note(EntityFault fault)
    {
        if (_open.Count >= EntitiesMax && !_open.ContainsKey(fault.Entity.Text))
        {
            return;
        }
        var now = time.GetUtcNow();
        _open.AddOrUpdate(fault.Entity.Text, id => Row(id, fault, now), (id, known) => Row(id, fault, known.Since));
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

    sealed class Inbox : ReceiveActor
    {
        public Inbox(Action<EntityFault> note) => Receive(note);
    }
}
